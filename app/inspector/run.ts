/** One recorded run of a machine, of which any moment can be looked at. */
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { Frame, Stepper } from './stepping.ts';

/** How many versions lie between two frames that are kept. */
const every = 64;

export interface Run {
  readonly stream: string;
  /** Its events in order; the first has version 1. */
  readonly envelopes: readonly Envelope[];
  /** Takes the next event. */
  append(envelope: Envelope): void;
  /** Null at version 0. Throws as {@link Stepper.after}. */
  frameAt(version: number): Frame | null;
  /** Every frame from behind `version` on, without keeping them. Throws as {@link frameAt}. */
  framesAfter(version: number): Generator<{ envelope: Envelope; frame: Frame }>;
}

export function createRun(stream: string, stepper: Stepper, recorded: Iterable<Envelope>): Run {
  const envelopes = [...recorded];
  const kept: Frame[] = [];
  let last: { version: number; frame: Frame } | null = null;

  /** The kept frame nearest before `version`, or the one looked at last if that is nearer. */
  function nearest(version: number): { version: number; frame: Frame | null } {
    const place = Math.min(Math.floor(version / every), kept.length);
    const near = place === 0 ? null : (kept[place - 1] ?? null);
    const found = { version: near === null ? 0 : place * every, frame: near };
    if (last !== null && last.version <= version && last.version > found.version) return last;
    return found;
  }

  function frameAt(version: number): Frame | null {
    let { version: at, frame } = nearest(version);
    for (const envelope of envelopes.slice(at, version)) {
      frame = stepper.after(frame, envelope);
      at += 1;
      if (at === (kept.length + 1) * every) kept.push(frame);
    }
    if (frame !== null) last = { version: at, frame };
    return frame;
  }

  return {
    stream,
    envelopes,
    append: (envelope) => void envelopes.push(envelope),
    frameAt,
    *framesAfter(version) {
      for (const envelope of envelopes.slice(version)) {
        const frame = frameAt(envelope.version);
        if (frame !== null) yield { envelope, frame };
      }
    },
  };
}
