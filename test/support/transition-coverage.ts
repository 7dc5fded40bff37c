/**
 * Which transitions of a machine its tests take, measured while live actors run.
 *
 * Neither the shortest nor the simple paths of a graph go over every edge, so the paths here are
 * "the shortest one to the edge's source, then the edge".
 */
import { appendFileSync } from 'node:fs';
import {
  createActor,
  fromCallback,
  getNextTransitions,
  initialTransition,
  SimulatedClock,
  transition,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type ContextFrom,
  type EventFrom,
  type EventObject,
  type InputFrom,
} from 'xstate';
import { keyOf, transitionsOf } from '../../app/diagrams/transitions.ts';

/** What a traversal must know of a machine that its chart does not say. */
export interface MachineModel<M extends AnyStateMachine> {
  machine: M;
  input: InputFrom<M>;
  /** Events with their payloads; a type that is not here is sent bare. */
  samples: EventFrom<M>[];
  /** What the promise ports resolve with, by the id of their invocation. */
  outputs?: Record<string, unknown[]>;
  /** What of the context tells two states apart. It must have few values. */
  abstract(context: ContextFrom<M>): unknown;
}

/** A model of any machine; the traversal reads its types no closer than this. */
type AnyModel = MachineModel<AnyStateMachine>;

interface Step {
  event: EventObject;
  snapshot: AnyMachineSnapshot;
}

export interface Walk {
  all: string[];
  missed: string[];
  /** Where a live actor was not in the state that the pure transition function foretold. */
  divergences: string[];
}

/** More states than this: the model's `abstract` distinguishes too much. */
const limit = 1_000;

/** Keeps the types of a model while it is written. */
export function machineModel<M extends AnyStateMachine>(model: MachineModel<M>): AnyModel {
  return model as unknown as AnyModel;
}

/** Walks a live actor over every edge of the model's graph. */
export function walkEdges(model: AnyModel): Walk {
  const taken = new Set<string>();
  const divergences = edgePaths(model).flatMap((path) => liveThrough(model, path, taken));
  const all = transitionsOf(model.machine).map(({ key }) => key);
  return { all, missed: all.filter((key) => !taken.has(key)), divergences };
}

/** `transitions covered N/N`, for the end of `npm test`. */
export function reportCoverage(name: string, { all, missed }: Walk): void {
  const line = `transitions covered ${all.length - missed.length}/${all.length} ${name}\n`;
  const file = process.env['TRANSITIONS_FILE'];
  if (file === undefined) process.stdout.write(line);
  else appendFileSync(file, line);
}

/** One path for each way in which an event leads from one set of modes to another. */
export function edgePaths({ machine, input, samples, outputs, abstract }: AnyModel): Step[][] {
  const [start] = initialTransition(machine, input) as unknown as [AnyMachineSnapshot];
  const serialize = ({ value, context }: AnyMachineSnapshot) =>
    JSON.stringify([value, abstract(context)]);
  const seen = new Set([serialize(start)]);
  const edges = new Map<string, Step[]>();
  const open: { snapshot: AnyMachineSnapshot; path: Step[] }[] = [{ snapshot: start, path: [] }];
  for (const { snapshot, path } of open) {
    if (open.length > limit) throw new Error(`${machine.id}: more than ${limit} states`);
    for (const event of eventsIn(snapshot, samples, outputs ?? {})) {
      const enabled = machine.getTransitionData(snapshot, event);
      if (enabled === undefined || enabled.length === 0) continue;
      const [next] = transition(machine, snapshot, event) as unknown as [AnyMachineSnapshot];
      const steps = [...path, { event, snapshot: next }];
      const edge = JSON.stringify([snapshot.value, enabled.map(keyOf), next.value]);
      if (!edges.has(edge)) edges.set(edge, steps);
      if (seen.has(serialize(next))) continue;
      seen.add(serialize(next));
      open.push({ snapshot: next, path: steps });
    }
  }
  return [...edges.values()];
}

/** The events that the active states name, with every payload that the model has for them. */
function eventsIn(
  snapshot: AnyMachineSnapshot,
  samples: EventObject[],
  outputs: Record<string, unknown[]>,
): EventObject[] {
  if (snapshot.status !== 'active') return [];
  const types = new Set(getNextTransitions(snapshot).map(({ eventType }) => eventType));
  types.delete('');
  return [...types].flatMap((type): EventObject[] => {
    const [, outcome, actorId = ''] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
    if (outcome === 'done')
      return (outputs[actorId] ?? [undefined]).map((output) => finished({ type, actorId, output }));
    if (outcome === 'error') return [finished({ type, actorId, error: { message: 'it failed' } })];
    const payloads = samples.filter((sample) => sample.type === type);
    return payloads.length > 0 ? payloads : [{ type }];
  });
}

/** What the system sends when an invoked actor ends, which only the system's own types know. */
const finished = (
  event: EventObject & { actorId: string; output?: unknown; error?: unknown },
): EventObject => event;

/** Sends a path to a live actor, and notes the transitions that it takes. */
function liveThrough({ machine, input }: AnyModel, path: Step[], taken: Set<string>): string[] {
  const clock = new SimulatedClock();
  const actor = createActor(withSilentPorts(machine), {
    input,
    clock,
    inspect: (inspected) => {
      if (inspected.type !== '@xstate.microstep') return;
      const { _transitions: transitions } = inspected as unknown as {
        _transitions: AnyTransitionDefinition[];
      };
      for (const definition of transitions) taken.add(keyOf(definition));
    },
  });
  actor.start();
  const running = new Map<string, number>();
  for (const [i, { event, snapshot }] of path.entries()) {
    noteTimers(actor, running, clock.now());
    if (event.type.startsWith('xstate.after.')) ring(actor, clock, running, event.type);
    else actor.send(event);
    const live = stateOf(actor.getSnapshot());
    if (live === stateOf(snapshot)) continue;
    const way = path.slice(0, i + 1).map((step) => step.event.type);
    return [`${way.join(', ')}: ${live} instead of ${stateOf(snapshot)}`];
  }
  actor.stop();
  return [];
}

const stateOf = ({ value, context, status }: AnyMachineSnapshot) =>
  JSON.stringify({ value, context, status });

/** The same machine with ports that take every command and report nothing by themselves. */
function withSilentPorts(machine: AnyStateMachine): AnyStateMachine {
  const silent = fromCallback(() => undefined);
  const names = Object.keys(machine.implementations.actors);
  return machine.provide({ actors: Object.fromEntries(names.map((name) => [name, silent])) });
}

/** Remembers when each timer was started: the actor itself notes real time, not its clock's. */
function noteTimers(actor: AnyActorRef, running: Map<string, number>, now: number): void {
  const scheduled = actor.system.getSnapshot()._scheduledEvents;
  for (const id of running.keys()) if (!(id in scheduled)) running.delete(id);
  for (const id of Object.keys(scheduled)) if (!running.has(id)) running.set(id, now);
}

/** Lets exactly so much time pass that the timer which sends this event has run out. */
function ring(
  actor: AnyActorRef,
  clock: SimulatedClock,
  running: Map<string, number>,
  type: string,
): void {
  for (const [id, timer] of Object.entries(actor.system.getSnapshot()._scheduledEvents)) {
    if (timer.event.type !== type) continue;
    clock.increment((running.get(id) ?? 0) + timer.delay - clock.now());
    return;
  }
  throw new Error(`no timer sends ${type}`);
}
