/** The runs in a log: read when they are asked for, kept while there is room, and read on. */
import type { AnyStateMachine } from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { prefixOf } from './event-row.ts';
import { Refusal } from './refusal.ts';
import { createRun, type Run } from './run.ts';
import { createStepper, type Stepper } from './stepping.ts';

/** Events that are kept in memory, in whole runs. */
const mostEvents = 300_000;
/** Runs of the same machine that are looked through for an example of an event. */
const mostRecent = 20;

export type RecordedRuns = ReturnType<typeof createRecordedRuns>;

export function createRecordedRuns(log: EventLog, machines: ReadonlyMap<string, AnyStateMachine>) {
  const steppers = new Map<string, Stepper>();
  /** The ones used last at the end. */
  const runs = new Map<string, Run>();
  let head = log.head();
  const isShown = (stream: string) => machines.has(prefixOf(stream));
  const names = new Set(log.streams().filter((stream) => isShown(stream)));

  function stepperFor(stream: string): Stepper {
    const prefix = prefixOf(stream);
    const machine = machines.get(prefix);
    if (machine === undefined) throw new Refusal(404, 'there is no such machine');
    const stepper = steppers.get(prefix) ?? createStepper(machine);
    steppers.set(prefix, stepper);
    return stepper;
  }

  function makeRoom(): void {
    let events = runs.values().reduce((sum, { envelopes }) => sum + envelopes.length, 0);
    for (const [name, { envelopes }] of runs) {
      if (events <= mostEvents || runs.size === 1) return;
      runs.delete(name);
      events -= envelopes.length;
    }
  }

  function of(stream: string): Run | null {
    if (!names.has(stream)) return null;
    const run = runs.get(stream) ?? createRun(stream, stepperFor(stream), log.read(stream));
    const isNew = !runs.delete(stream);
    runs.set(stream, run);
    if (isNew) makeRoom();
    return run;
  }

  return {
    /** The run of a stream; null when there is no such stream of a shown machine. */
    of,
    /** The first event of a stream that is there. */
    firstOf: (stream: string): Envelope | null =>
      runs.get(stream)?.envelopes[0] ?? log.read(stream).next().value ?? null,
    stepperOf: (run: Run) => stepperFor(run.stream),
    /** Names of all streams, in the order in which they began. */
    names: () => [...names],
    /** Takes what was recorded since. */
    catchUp(): void {
      if (!log.changedSince(head)) return;
      for (const envelope of log.readAll(head)) {
        head = envelope.seq;
        const { stream, version } = envelope;
        if (version === 1 && isShown(stream)) names.add(stream);
        const run = runs.get(stream);
        if (run !== undefined && version === run.envelopes.length + 1) run.append(envelope);
      }
    },
    /** Other runs of the same machine that are in memory, the ones used last first. */
    recent: (stream: string): Run[] =>
      [...runs.values()]
        .filter((run) => run.stream !== stream && prefixOf(run.stream) === prefixOf(stream))
        .toReversed()
        .slice(0, mostRecent),
    /** A recording that this release's chart cannot follow is no bug of the asker. */
    folding: <T>(work: () => T): T =>
      refusing(422, 'this recording cannot be followed by this release of the chart', work),
    /** The same for an event that a person made up. */
    firing: <T>(work: () => T): T =>
      refusing(422, 'the chart cannot take an event of that shape', work),
  };
}

function refusing<T>(status: number, sentence: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(status, sentence);
  }
}
