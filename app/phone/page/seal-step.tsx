/** The second step of a sealed key: its passkey is there, and now the key is made and sealed. */
import { useEffect } from 'preact/hooks';
import { Problem } from './list.tsx';
import type { CreateOutcome, Sealing } from './port.ts';
import { useAct } from './snapshot.ts';

interface SealStepProps {
  sealing: Sealing;
  /** It was made, or never will be. */
  onOver(outcome: CreateOutcome): void;
  /** `isForgotten`: whether the browser took the passkey away. */
  onGivenUp(isForgotten: boolean): void;
}

export function SealStep({ sealing, onOver, onGivenUp }: SealStepProps) {
  const act = useAct();
  // Whoever goes elsewhere leaves no passkey behind that nobody knows of.
  useEffect(() => () => void sealing.giveUp(), [sealing]);

  async function seal(): Promise<void> {
    const outcome = await sealing.seal();
    if (outcome.ok || outcome.why !== 'cancelled') return onOver(outcome);
    throw new Error(
      'It was cancelled, or you were not verified. The passkey is made, the key is not.',
    );
  }

  return (
    <div class="create" role="group" aria-label="Second step">
      <p class="lead">
        The passkey is made. Verify yourself once more: now it makes the key, and seals it.
      </p>
      <Problem text={act.problem} />
      <button
        type="button"
        class="button primary"
        disabled={act.isBusy}
        onClick={() => act.run(seal)}
      >
        {act.isBusy ? 'Waiting for you…' : 'Seal the key'}
      </button>
      {act.problem !== null && (
        <button
          type="button"
          class="button plain"
          disabled={act.isBusy}
          onClick={() => act.run(async () => onGivenUp(await sealing.giveUp()))}
        >
          Give up
        </button>
      )}
    </div>
  );
}
