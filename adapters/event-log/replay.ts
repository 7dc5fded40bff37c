import {
  initialTransition,
  transition,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type SnapshotFrom,
} from 'xstate';
import type { Envelope } from './envelope.ts';
import { LogInconsistent } from './errors.ts';
import { INTERRUPTED } from './processes.ts';
import { FINISHED, STOPPED } from './recorder.ts';

/** One step of a recorded run: what came in, and what the machine was after it. */
export interface Frame<Machine extends AnyStateMachine> {
  envelope: Envelope;
  event: AnyEventObject;
  snapshot: SnapshotFrom<Machine>;
}

/**
 * The recorded run, step by step. No effect runs.
 *
 * `app.finished` and `app.interrupted` are no steps; `app.stopped` stops the machine as it did then.
 * Throws `LogInconsistent` when the stream does not begin with `xstate.init`, and whatever the
 * machine's own guards and assigners throw.
 */
export function* frames<Machine extends AnyStateMachine>(
  machine: Machine,
  envelopes: Iterable<Envelope>,
): Generator<Frame<Machine>, void, undefined> {
  let snapshot: SnapshotFrom<Machine> | null = null;
  for (const envelope of envelopes) {
    const event = toEvent(envelope);
    if (!event) continue;
    const next: SnapshotFrom<Machine> = snapshot
      ? step(machine, snapshot, event)
      : begin(machine, event, envelope);
    snapshot = next;
    yield { envelope, event, snapshot: next };
  }
}

/** The state that a stream's events lead to. Throws as {@link frames}, and for an empty stream. */
export function fold<Machine extends AnyStateMachine>(
  machine: Machine,
  envelopes: Iterable<Envelope>,
): SnapshotFrom<Machine> {
  let last: Frame<Machine> | null = null;
  for (const frame of frames(machine, envelopes)) last = frame;
  if (!last) throw new LogInconsistent('there is no recorded run in these events');
  return last.snapshot;
}

/** What of a snapshot is the same for a live actor and for the fold of its stream. */
export function comparable(snapshot: AnyMachineSnapshot): {
  status: string;
  value: unknown;
  context: unknown;
  output?: unknown;
  error?: unknown;
} {
  const { status, value, context, output, error } = snapshot;
  return {
    status,
    value,
    context,
    ...(status === 'done' && { output }),
    ...(status === 'error' && { error }),
  };
}

function toEvent({ stream, version, type, v, data }: Envelope): AnyEventObject | null {
  if (type === STOPPED) return { type: 'xstate.stop' };
  if (type === FINISHED || type === INTERRUPTED) return null;
  if (v !== 1 || data === null || typeof data !== 'object' || Array.isArray(data)) {
    throw new LogInconsistent(`${stream} version ${version} is not a machine's event`);
  }
  return { type, ...data };
}

function begin<Machine extends AnyStateMachine>(
  machine: Machine,
  event: AnyEventObject,
  { stream }: Envelope,
): SnapshotFrom<Machine> {
  if (event.type !== 'xstate.init') throw new LogInconsistent(`${stream} has no beginning`);
  return initialTransition(machine as AnyStateMachine, event['input'])[0] as SnapshotFrom<Machine>;
}

function step<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: SnapshotFrom<Machine>,
  event: AnyEventObject,
): SnapshotFrom<Machine> {
  if ((snapshot as AnyMachineSnapshot).status !== 'active') return snapshot;
  return transition(machine as AnyStateMachine, snapshot, event)[0] as SnapshotFrom<Machine>;
}
