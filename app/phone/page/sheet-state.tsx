/** What goes on with a sheet: its code, the person's verification, and why there is no approving. */
import { useEffect, useId, useState } from 'preact/hooks';
import type { PageSheet } from '../../../adapters/phone-page/protocol.ts';
import { isAlarming, obstacleWords, problemWords, type Obstacle } from './answering.ts';
import { Foreign } from './foreign.tsx';
import { Icon } from './icons.tsx';
import type { Abilities, ShownSheet } from './port.ts';

const CODE = /^\d{2}$/;

interface CodeEntryProps {
  sheet: PageSheet;
  onCode(code: string): void;
}

/** Two digits that the headset shows: sent when the second one is typed. */
export function CodeEntry({ sheet, onCode }: CodeEntryProps) {
  const [typed, setTyped] = useState('');
  const id = useId();
  const { triesLeft } = sheet;
  useEffect(() => setTyped(''), [triesLeft]);
  return (
    <div class="code-entry">
      <label for={id}>
        Type the two digits that <Foreign text={sheet.deviceName} max={40} /> shows
      </label>
      <input
        id={id}
        class="digits"
        inputMode="numeric"
        autocomplete="off"
        maxLength={2}
        pattern="\d{2}"
        value={typed}
        onInput={(event) => {
          const digits = event.currentTarget.value.replaceAll(/\D/g, '').slice(0, 2);
          event.currentTarget.value = digits;
          setTyped(digits);
          if (CODE.test(digits) && !CODE.test(typed)) onCode(digits);
        }}
      />
      <p class="tries" role="alert">
        {triesLeft !== null && `That was another code. ${triesWords(triesLeft)}`}
      </p>
    </div>
  );
}

const triesWords = (left: number) => (left === 1 ? 'One try left.' : `${left} tries left.`);

interface SheetStateProps {
  shown: ShownSheet;
  obstacle: Obstacle | null;
  abilities: Abilities;
}

export function SheetState({ shown, obstacle, abilities }: SheetStateProps) {
  const { sheet, problem } = shown;
  return (
    <>
      <div role="alert">
        {obstacle !== null && (
          <p class={`callout ${isAlarming(obstacle) ? 'bad' : ''}`}>
            <Icon name={isAlarming(obstacle) ? 'warning' : 'sealed'} />
            <span>
              <ObstacleWords obstacle={obstacle} />
            </span>
          </p>
        )}
        {problem !== null && sheet.mode !== 'verifying' && (
          <p class="callout care">
            <Icon name="warning" />
            <span>
              {problemWords[problem]}
              {sheet.triesLeft !== null && ` ${triesWords(sheet.triesLeft)}`}
            </span>
          </p>
        )}
      </div>
      <p class="verifying" role="status">
        {sheet.mode === 'verifying' && (
          <>
            <span class="spinner" aria-hidden="true" />
            {verifyingWords(sheet, abilities)}
          </>
        )}
      </p>
    </>
  );
}

function verifyingWords({ here, approval }: PageSheet, { isAppleTouch }: Abilities): string {
  if (approval.by === 'terminal') return 'Waiting for the passphrase in the terminal…';
  if (!here) return 'You are being verified in another window.';
  return isAppleTouch ? 'Waiting for Face ID…' : 'Waiting for you to be verified…';
}

function ObstacleWords({ obstacle }: { obstacle: Obstacle }) {
  if (obstacle.why !== 'otherPage') return <>{obstacleWords[obstacle.why]}</>;
  return (
    <>
      The passkey of this identity belongs to another page, at{' '}
      <Foreign text={obstacle.rpId} max={80} />. It can be approved only there.
    </>
  );
}
