/** A new identity: which kind, its name, and the one or two taps that make it. */
import { useId, useState } from 'preact/hooks';
import type { PhoneState } from '../../../adapters/phone-page/state.ts';
import { Heading } from './heading.tsx';
import { createdRoute } from './identities.tsx';
import { Icon, type IconName } from './icons.tsx';
import { Problem } from './list.tsx';
import type { Abilities, CreateOutcome, Sealing } from './port.ts';
import { hrefOf, replaceRoute } from './route.ts';
import { SealStep } from './seal-step.tsx';
import { useAct, usePhone } from './snapshot.ts';

type Kind = 'sealed' | 'passkey';

interface CreateScreenProps {
  state: PhoneState;
  abilities: Abilities;
}

export function CreateScreen({ state, abilities }: CreateScreenProps) {
  const phone = usePhone();
  const act = useAct();
  const nameId = useId();
  const canSeal = abilities.prf !== false;
  const [kind, setKind] = useState<Kind>(canSeal ? 'sealed' : 'passkey');
  const [label, setLabel] = useState(abilities.isAppleTouch ? 'iPhone' : 'Phone');
  const [sealing, setSealing] = useState<Sealing | null>(null);
  const name = label.trim();

  const settle = (outcome: CreateOutcome | { ok: 'continue'; sealing: Sealing }) => {
    if (outcome.ok === 'continue') return setSealing(outcome.sealing);
    if (outcome.ok) return replaceRoute('identities', createdRoute(outcome.fingerprint));
    setSealing(null);
    throw new Error(outcome.sentence ?? createProblems[outcome.why]);
  };
  const giveUp = (isForgotten: boolean) => {
    setSealing(null);
    if (isForgotten) return;
    act.run(() =>
      Promise.reject(new Error(`The passkey “${name}” is in your passwords. Remove it there.`)),
    );
  };
  const create = async () =>
    settle(await (kind === 'passkey' ? phone.createPasskey(name) : phone.beginSealedKey(name)));

  return (
    <>
      <Heading title="New identity" back={{ href: hrefOf('identities'), name: 'Identities' }} />
      {state.isLocal && (
        <p class="callout care">
          <Icon name="warning" />
          <span>
            This page is on localhost: identities that are made here work only here, in this
            browser, on this computer.
          </span>
        </p>
      )}
      {!abilities.webAuthn ? (
        <p class="callout care">
          <Icon name="warning" />
          <span>This browser has no passkeys (WebAuthn), so nothing can be created in it.</span>
        </p>
      ) : sealing === null ? (
        <form
          class="create"
          onSubmit={(event) => {
            event.preventDefault();
            if (name !== '') act.run(create);
          }}
        >
          <fieldset disabled={act.isBusy}>
            <legend>Kind</legend>
            <Choice kind="sealed" chosen={kind} disabled={!canSeal} onChoose={setKind} />
            <Choice kind="passkey" chosen={kind} onChoose={setKind} />
          </fieldset>
          <label for={nameId}>Name</label>
          <input
            id={nameId}
            value={label}
            maxLength={64}
            autocomplete="off"
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
          <Problem text={act.problem} />
          <button type="submit" class="button primary" disabled={name === '' || act.isBusy}>
            {act.isBusy ? 'Waiting for you…' : 'Create'}
          </button>
        </form>
      ) : (
        <SealStep
          sealing={sealing}
          onOver={(outcome) => act.run(async () => settle(outcome))}
          onGivenUp={giveUp}
        />
      )}
    </>
  );
}

const createProblems = {
  cancelled: 'It was cancelled, or you were not verified. Nothing was made.',
  noPrf:
    'This passkey gives no secret to seal a key with (PRF). The key was not made. Choose the other kind, or another place for the passkey.',
  refused: 'signer did not take it. Nothing was made.',
} as const;

const kinds: Record<Kind, { name: string; icon: IconName; words: string }> = {
  sealed: {
    name: 'Sealed key',
    icon: 'sealed',
    words:
      'A P-256 key, encrypted in this browser and opened by a passkey for one signature. It works with every server and every ssh.',
  },
  passkey: {
    name: 'Passkey',
    icon: 'passkey',
    words:
      'The server itself checks that you were verified. It needs OpenSSH 8.4 or later there, and vmux connect here: through the agent, ssh up to 10.2 cannot use it.',
  },
};

interface ChoiceProps {
  kind: Kind;
  chosen: Kind;
  disabled?: boolean;
  onChoose(kind: Kind): void;
}

function Choice({ kind, chosen, disabled = false, onChoose }: ChoiceProps) {
  const ids = { name: useId(), words: useId() };
  const { name, icon, words } = kinds[kind];
  return (
    <label class={`choice ${disabled ? 'off' : ''}`}>
      <input
        type="radio"
        name="kind"
        value={kind}
        checked={kind === chosen}
        disabled={disabled}
        aria-labelledby={ids.name}
        aria-describedby={ids.words}
        onChange={() => onChoose(kind)}
      />
      <Icon name={icon} class="tile" />
      <span class="row-text">
        <span class="row-title" id={ids.name}>
          {name}
        </span>
        <span class="row-detail" id={ids.words}>
          {disabled ? 'Not here: this browser cannot seal a key under a passkey (no PRF).' : words}
        </span>
      </span>
    </label>
  );
}
