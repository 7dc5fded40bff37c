/** The code that `signer` shows, and what this browser is to be called there. */
import { useId, useState } from 'preact/hooks';
import { PAIRING_LENGTH } from '../../../adapters/phone-page/protocol.ts';
import { Problem } from './list.tsx';
import { nameOfBrowser, tidyCode, pairProblems } from './pairing-words.ts';
import type { Abilities } from './port.ts';
import { useAct, usePhone } from './snapshot.ts';

export function PairForm({ abilities }: { abilities: Abilities }) {
  const phone = usePhone();
  const act = useAct();
  const ids = { code: useId(), hint: useId(), name: useId() };
  const [code, setCode] = useState('');
  const [name, setName] = useState(() => nameOfBrowser(navigator.userAgent, abilities));
  const typed = tidyCode(code);
  const isWhole = typed.length === PAIRING_LENGTH;

  const pair = async () => {
    const outcome = await phone.pair(typed, name.trim());
    if (outcome !== 'paired') throw new Error(pairProblems[outcome]);
  };
  return (
    <form
      class="pair"
      onSubmit={(event) => {
        event.preventDefault();
        if (isWhole && name.trim() !== '') act.run(pair);
      }}
    >
      <label for={ids.code}>Pairing code</label>
      <input
        id={ids.code}
        class="code-field"
        value={code}
        placeholder="XXXX-XXXX"
        autocomplete="one-time-code"
        autocapitalize="characters"
        autocorrect="off"
        spellcheck={false}
        maxLength={24}
        aria-describedby={ids.hint}
        onInput={(event) => setCode(event.currentTarget.value)}
        onBlur={() => setCode(typed.replace(/^(.{4})(.)/, '$1-$2'))}
      />
      <p class="note" id={ids.hint}>
        On the computer that runs signer, <code>signer web setup</code> shows it. It is good for two
        minutes, once.
      </p>
      <label for={ids.name}>Name of this {abilities.isAppleTouch ? 'phone' : 'browser'}</label>
      <input
        id={ids.name}
        value={name}
        autocomplete="off"
        maxLength={40}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <Problem text={act.problem} />
      <button
        type="submit"
        class="button primary"
        disabled={!isWhole || name.trim() === '' || act.isBusy}
      >
        {act.isBusy ? 'Pairing…' : 'Pair'}
      </button>
    </form>
  );
}
