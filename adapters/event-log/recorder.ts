import {
  createActor,
  type AnyActorRef,
  type Actor,
  type ActorOptions,
  type AnyActorScope,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
} from 'xstate';
import { UnrecordableEvent } from './errors.ts';
import { gatedScope } from './gated-scope.ts';
import { encodeJson, type Json } from './json.ts';
import type { RecorderGroup } from './recorder-group.ts';
import type { EventLog } from './store.ts';

/** The recorder's own events. They end a stream and are no input of its machine. */
export const STOPPED = 'app.stopped';
export const FINISHED = 'app.finished';

export interface RecordingOptions<Machine extends AnyStateMachine> {
  input: InputFrom<Machine>;
  log: EventLog;
  /** `<machine>/<uuid>`; must not exist. */
  stream: string;
  group: RecorderGroup;
  /** Kept beside the input in the stream's first event. `process`: see `processes.ts`. */
  meta?: { process?: string; [key: string]: Json | undefined };
  clock?: ActorOptions<Machine>['clock'];
  inspect?: ActorOptions<Machine>['inspect'];
}

export interface Recorded<Machine extends AnyStateMachine> {
  readonly actor: Actor<Machine>;
  readonly stream: string;
  /**
   * The way in for events from outside. Takes only types that the machine's charts name, never
   * `xstate.*`; returns whether it was taken and recorded. Throws `UnrecordableEvent`.
   */
  deliver(event: EventFromLogic<Machine>): boolean;
  /** Records `app.stopped`, unless the machine has ended, and stops the actor. */
  stop(): void;
}

/**
 * Starts a machine of which every event is in the log, durably, before the machine processes it.
 *
 * Recorded: `xstate.init` with the input (version 1), domain events, `xstate.after.*`, delayed
 * `raise`, `xstate.done.*`, `xstate.error.*`; not what a machine raises within one step. The machine
 * gets what was recorded, not the original: errors come to it as `{ name, message }`.
 *
 * An event that cannot be recorded is not processed: the group halts, and from then on no action of
 * any of its machines runs. The same when a chart throws or ends in an error, which is a bug.
 * Throws, after halting, when the first event cannot be recorded.
 *
 * Records around the machine's own `transition`: inspection sees events when they are sent, even
 * those that a machine that ends never processes, and cannot hold one back.
 */
export function startRecorded<Machine extends AnyStateMachine>(
  machine: Machine,
  options: RecordingOptions<Machine>,
): Recorded<Machine> {
  const { log, stream, group, meta } = options;
  if (group.halted) throw group.halted;
  let version = 0;
  let ended = false;

  function append(type: string, data: unknown): boolean {
    if (group.halted) return false;
    try {
      version = log.append(stream, version, [{ type, data }]);
      return true;
    } catch (error) {
      group.halt(error as Error);
      return false;
    }
  }

  function record(event: AnyEventObject): AnyEventObject | null {
    try {
      const { type, ...data } = recordable(event);
      return append(type, data) ? { type, ...data } : null;
    } catch (error) {
      group.halt(error as Error);
      return null;
    }
  }

  /** A chart that threw, or that has no answer to an actor's error, is a bug. */
  function fail(error: unknown): void {
    const { message } = error as Partial<Error>;
    group.halt(new Error(`${stream}: ${message ?? String(error)}`, { cause: error }));
  }

  function noteEnd(snapshot: AnyMachineSnapshot): void {
    if (snapshot.status === 'active' || ended) return;
    ended = true;
    append(FINISHED, { status: snapshot.status });
  }

  const logic = Object.assign(Object.create(machine) as Machine, {
    getInitialSnapshot: (scope: AnyActorScope, input: unknown) =>
      machine.getInitialSnapshot(gatedScope(scope, group), input),
    start(snapshot: AnyMachineSnapshot) {
      for (const child of Object.values(snapshot.children) as AnyActorRef[]) {
        if (!group.halted && child.getSnapshot().status === 'active') child.start();
      }
    },
    transition(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope) {
      if (event.type === 'xstate.stop') return machine.transition(snapshot, event, scope);
      const recorded = record(event);
      if (!recorded) return snapshot;
      try {
        const next = machine.transition(snapshot, recorded, gatedScope(scope, group));
        noteEnd(next);
        return next;
      } catch (error) {
        fail(error);
        return snapshot;
      }
    },
  });

  const first = record({ type: 'xstate.init', input: options.input, meta });
  if (!first) throw group.halted ?? new Error('unreachable');
  const actor = createActor(logic, {
    input: first['input'],
    ...(options.clock && { clock: options.clock }),
    ...(options.inspect && { inspect: options.inspect }),
  } as ActorOptions<Machine>);
  const leave = group.join(() => actor.stop());
  actor.subscribe({ complete: leave, error: fail });
  noteEnd(actor.getSnapshot());
  if (!group.halted) actor.start();

  return {
    actor,
    stream,
    deliver(event) {
      if (group.halted || ended || !machine.events.includes(event.type)) return false;
      if (event.type.startsWith('xstate.')) return false;
      recordable(event);
      actor.send(event);
      return group.halted === null;
    },
    stop() {
      if (group.halted || ended) return;
      ended = true;
      append(STOPPED, null);
      actor.stop();
    },
  };
}

/** `event` as the log gives it back, errors made plain. Throws {@link UnrecordableEvent}. */
function recordable(event: AnyEventObject): AnyEventObject {
  if (/^xstate\.\w+\.actor\.x:\d+$/.test(event.type)) {
    throw new UnrecordableEvent(`${event.type}: an actor without an id of its own`);
  }
  const plain = event.type.startsWith('xstate.error.')
    ? { ...event, error: plainError(event['error']) }
    : event;
  return JSON.parse(encodeJson(plain, event.type)) as AnyEventObject;
}

function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { name: error.name, message: error.message };
}
