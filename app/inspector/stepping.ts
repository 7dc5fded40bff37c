/**
 * A machine's recorded events, one step after another, with what a person wants to see of each:
 * which transitions it took and which clocks run. No effect runs.
 *
 * This is XState's own `transition()` (`machine.transition` in a scope that executes nothing), with
 * one scope for all steps instead of a new one for each, and with an ear for its microsteps.
 */
import {
  createActor,
  type AnyActorScope,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type InspectionEvent,
} from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { LogInconsistent } from '../../adapters/event-log/errors.ts';
import { INTERRUPTED } from '../../adapters/event-log/processes.ts';
import { FINISHED, STOPPED } from '../../adapters/event-log/recorder.ts';
import { keyOf } from '../diagrams/transitions.ts';

/** A clock that was started by a step and has neither run out nor been stopped. */
export interface StartedClock {
  /** Wall clock of the event that started it. */
  since: number;
  milliseconds: number;
}

/** What a step told one of the machine's ports. */
export interface Command {
  to: string;
  event: AnyEventObject;
}

/** A machine after one recorded event. */
export interface Frame {
  snapshot: AnyMachineSnapshot;
  /** Keys (`keyOf`) of the transitions that the event took, in order, eventless ones too. */
  taken: string[];
  /** The state that it met had no use for it. */
  ignored: boolean;
  /** By the type of the event that ends each. */
  clocks: ReadonlyMap<string, StartedClock>;
  /** What it would tell the ports. */
  commands: Command[];
}

export interface Stepper {
  readonly machine: AnyStateMachine;
  /**
   * The frame after `envelope`. `before`: null for the first one, which has to be `xstate.init`.
   *
   * @throws {LogInconsistent} when it is no event of a machine, and what guards and assigners throw.
   */
  after(before: Frame | null, envelope: Envelope): Frame;
  /** The frame after an event that was not recorded, at `at` of the wall clock. */
  fire(before: Frame, event: AnyEventObject, at: number): Frame;
  /** Whether the state has an enabled transition for it. */
  accepts(frame: Frame, event: AnyEventObject): boolean;
}

interface Microstep {
  event: AnyEventObject;
  transitions: AnyTransitionDefinition[];
}

type Action = Parameters<AnyActorScope['actionExecutor']>[0];

const noClocks: ReadonlyMap<string, StartedClock> = new Map();

export function createStepper(machine: AnyStateMachine): Stepper {
  let microsteps: Microstep[] = [];
  let actions: Action[] = [];
  const self = createActor(machine, {
    inspect(inspected: InspectionEvent) {
      if (inspected.type !== '@xstate.microstep') return;
      const { event, _transitions: transitions } = inspected as unknown as {
        event: AnyEventObject;
        _transitions: AnyTransitionDefinition[];
      };
      microsteps.push({ event, transitions });
    },
  });
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    stopChild: () => {},
    emit: () => {},
    actionExecutor: (action) => void actions.push(action),
  };

  function frameOf(before: Frame | null, at: number, type: string, run: () => unknown): Frame {
    [microsteps, actions] = [[], []];
    const snapshot = run() as AnyMachineSnapshot;
    const taken = microsteps.flatMap(({ transitions }) => transitions);
    const [first] = microsteps;
    return {
      snapshot,
      taken: taken
        .filter(({ eventType }) => eventType !== 'xstate.init')
        .map((each) => keyOf(each)),
      ignored: before !== null && type !== 'xstate.stop' && !first?.transitions.length,
      clocks: clocksAfter(before?.clocks ?? noClocks, type, actions, at),
      commands: commandsIn(actions),
    };
  }

  function fire(before: Frame, event: AnyEventObject, at: number): Frame {
    if (before.snapshot.status !== 'active') return { ...still(before), ignored: true };
    return frameOf(before, at, event.type, () =>
      machine.transition(before.snapshot, event as never, scope),
    );
  }

  return {
    machine,
    fire,
    after(before, envelope) {
      const { type, data, at, stream, version } = envelope;
      if (before === null) {
        if (type !== 'xstate.init') throw new LogInconsistent(`${stream} has no beginning`);
        const { input } = eventData(envelope);
        return frameOf(null, at, type, () => machine.getInitialSnapshot(scope, input as never));
      }
      if (type === FINISHED || type === INTERRUPTED) return still(before);
      if (type === STOPPED) {
        const isOver = before.snapshot.status !== 'active';
        return isOver ? still(before) : fire(before, { type: 'xstate.stop' }, at);
      }
      if (data === undefined) throw new LogInconsistent(`${stream} ${version} holds nothing`);
      return fire(before, { type, ...eventData(envelope) }, at);
    },
    accepts({ snapshot }, event) {
      if (snapshot.status !== 'active') return false;
      return (machine.getTransitionData(snapshot as never, event as never) ?? []).length > 0;
    },
  };
}

/** The log's own events move nothing. */
const still = (frame: Frame): Frame => ({ ...frame, taken: [], ignored: false, commands: [] });

function eventData({ stream, version, v, data }: Envelope): Record<string, unknown> {
  if (v !== 1 || data === null || typeof data !== 'object' || Array.isArray(data))
    throw new LogInconsistent(`${stream} version ${version} is not a machine's event`);
  return data;
}

function clocksAfter(
  before: ReadonlyMap<string, StartedClock>,
  type: string,
  actions: Action[],
  at: number,
): ReadonlyMap<string, StartedClock> {
  const changes = actions.filter(({ type }) => type === 'xstate.raise' || type === 'xstate.cancel');
  if (changes.length === 0 && !before.has(type)) return before;
  const clocks = new Map(before);
  clocks.delete(type);
  for (const { type, params } of changes as { type: string; params: Record<string, unknown> }[]) {
    if (type === 'xstate.cancel') clocks.delete(String(params['sendId']));
    else if (typeof params['delay'] === 'number')
      clocks.set(String(params['id']), { since: at, milliseconds: params['delay'] });
  }
  return clocks;
}

function commandsIn(actions: Action[]): Command[] {
  return actions.flatMap(({ type, params }) => {
    if (type !== 'xstate.sendTo') return [];
    const { targetId, event } = params as { targetId?: unknown; event: AnyEventObject };
    return [{ to: String(targetId), event }];
  });
}
