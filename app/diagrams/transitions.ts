/** The transitions of a machine, named as its chart names them. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export interface Transition {
  /** Unique in its machine and the same in every process: state, event, place among its candidates. */
  key: string;
  definition: AnyTransitionDefinition;
  source: AnyStateNode;
  /** Empty when the state stays. */
  targets: readonly AnyStateNode[];
  /** `ssh.resolved`, `after signerTimeout`, `done keys`, `error keys`, `always`. */
  event: string;
  guard: string | null;
  actions: string[];
}

/** Every state but the root, parents before their children, in the chart's order. */
export function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const below = (node: AnyStateNode): AnyStateNode[] =>
    Object.values(node.states).flatMap((child) => [child, ...below(child)]);
  return below(machine.root);
}

export function transitionsOf(machine: AnyStateMachine): Transition[] {
  return [machine.root, ...statesOf(machine)].flatMap((node) => transitionsFrom(node));
}

/** What leaves this state or reacts in it: `on`, done, error and `after`, then `always`. */
export function transitionsFrom(node: AnyStateNode): Transition[] {
  const candidates = [...node.transitions.values(), node.always ?? []];
  return candidates.flatMap((definitions) => definitions.map((each) => described(each)));
}

/** The same key for a definition of this machine and of any `provide()` of it. */
export function keyOf(definition: AnyTransitionDefinition): string {
  const { source, eventType } = definition;
  const candidates = eventType === '' ? source.always : source.transitions.get(eventType);
  const place = candidates?.indexOf(definition) ?? 0;
  return `${[source.machine.id, ...source.path].join('.')} on ${eventWord(definition)}${place > 0 ? ` #${place + 1}` : ''}`;
}

export function described(definition: AnyTransitionDefinition): Transition {
  return {
    key: keyOf(definition),
    definition,
    source: definition.source,
    targets: definition.target ?? [],
    event: eventWord(definition),
    guard: definition.guard === undefined ? null : word(definition.guard),
    actions: definition.actions.map((action) => word(action)),
  };
}

/** The name of an action or a guard, with the values of its parameters. */
export function word(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference === 'function') return reference.name || 'inline';
  const { type, params } = reference as { type: string; params?: unknown };
  const values = params !== null && typeof params === 'object' ? Object.values(params) : [];
  return [type, ...values].join(' ');
}

function eventWord({ eventType, source }: AnyTransitionDefinition): string {
  if (eventType === '') return 'always';
  const ofInvoked = /^xstate\.(done|error)\.actor\.(.+)$/.exec(eventType);
  if (ofInvoked) return `${ofInvoked[1]} ${ofInvoked[2]}`;
  const after = 'xstate.after.';
  const own = `.${source.id}`;
  if (eventType.startsWith(after) && eventType.endsWith(own))
    return `after ${eventType.slice(after.length, -own.length)}`;
  return eventType.startsWith('xstate.done.state.') ? 'done' : eventType;
}
