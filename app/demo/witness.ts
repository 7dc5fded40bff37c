/**
 * Sees what the demo's machines record, event by event as it happens, and checks at the end that
 * the record leads to what the machines are.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AnyStateMachine } from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { Recorded } from '../../adapters/event-log/recorder.ts';
import { comparable, fold } from '../../adapters/event-log/replay.ts';
import type { Running } from '../running.ts';

/** One event of a machine, from the log of its device. */
export interface SeenEvent {
  device: 'headset' | 'phone';
  /** `connection`, `link`, `signer` and so on. */
  machine: string;
  type: string;
  data: Record<string, unknown>;
  /** Wall clock, milliseconds since 1970. */
  at: number;
}

export interface Replayed {
  runs: number;
  events: number;
  /** Streams whose fold is not the live state. */
  differing: string[];
}

export interface Witness {
  /** The same process, every machine of which is seen from now on. */
  watch(running: Running): Running;
  /** Folds every recorded run and compares; the machines must still be there. */
  replay(): Replayed;
}

/** `see` gets each event once, after the machine has taken it. */
export function createWitness(see: (event: SeenEvent) => void): Witness {
  const logs: { running: Running; device: SeenEvent['device']; head: number }[] = [];
  const runs: {
    running: Running;
    machine: AnyStateMachine;
    recorded: Recorded<AnyStateMachine>;
  }[] = [];

  function readOn(): void {
    const fresh = logs.flatMap((log) => {
      const envelopes = [...log.running.log.readAll(log.head)];
      log.head = envelopes.at(-1)?.seq ?? log.head;
      return envelopes.map((envelope) => seenEvent(log.device, envelope));
    });
    for (const event of fresh.toSorted((a, b) => a.at - b.at)) see(event);
  }

  return {
    watch(running) {
      const device = running.program === 'vmux' ? 'headset' : 'phone';
      logs.push({ running, device, head: running.log.head() });
      return {
        ...running,
        start(name, machine, input) {
          const recorded = running.start(name, machine, input);
          const run = recorded as unknown as Recorded<AnyStateMachine>;
          runs.push({ running, machine, recorded: run });
          recorded.actor.subscribe({ next: readOn, complete: readOn });
          return recorded;
        },
      };
    },
    replay() {
      let events = 0;
      const differing = runs.flatMap(({ running, machine, recorded }) => {
        const envelopes = [...running.log.read(recorded.stream)];
        events += envelopes.length;
        const folded = comparable(fold(machine, envelopes));
        const live = comparable(recorded.actor.getSnapshot());
        return isDeepStrictEqual(folded, live) ? [] : [recorded.stream];
      });
      return { runs: runs.length, events, differing };
    },
  };
}

function seenEvent(device: SeenEvent['device'], { stream, type, data, at }: Envelope): SeenEvent {
  return {
    device,
    machine: stream.split('/')[0] ?? '',
    type,
    data: data !== null && typeof data === 'object' && !Array.isArray(data) ? data : {},
    at,
  };
}
