/** The time that is left of a request: a ring that empties, and the seconds in it. */
import { useNow } from './snapshot.ts';

interface RingProps {
  /** `performance.now()` of the end. */
  until: number;
  /** Milliseconds. */
  total: number;
}

const RADIUS = 19;
const ROUND = 2 * Math.PI * RADIUS;

export function Ring({ until, total }: RingProps) {
  const left = Math.max(0, until - useNow(250));
  const seconds = Math.ceil(left / 1000);
  const share = total > 0 ? Math.min(1, left / total) : 0;
  return (
    <div
      class={`ring ${seconds <= 5 ? 'short' : ''}`}
      role="timer"
      aria-label={`${seconds} seconds left`}
    >
      <svg viewBox="0 0 44 44" aria-hidden="true">
        <circle class="ring-track" cx="22" cy="22" r={RADIUS} />
        <circle
          class="ring-left"
          cx="22"
          cy="22"
          r={RADIUS}
          stroke-dasharray={`${ROUND}`}
          stroke-dashoffset={`${ROUND * (1 - share)}`}
        />
      </svg>
      <span aria-hidden="true">{seconds}</span>
    </div>
  );
}
