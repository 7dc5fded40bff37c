/**
 * What tools outside read is a chart's JSON definition: the config that the hosted inspector is
 * sent, and XState's own `toJSON`. Both, read back, must say what the machine does.
 */
import { createMachine, type AnyStateMachine } from 'xstate';
import { describe, expect, it } from 'vitest';
import { loadCharts } from '../../app/diagrams/charts.ts';
import { statesOf, transitionsOf, word } from '../../app/diagrams/transitions.ts';
import { doorMachine } from '../fixture/door.machine.ts';

interface Definition {
  id: string;
  key: string;
  type: string;
  description?: string;
  states: Record<string, Definition>;
  invoke?: { id: string; src: string }[];
  transitions: {
    source: string;
    eventType: string;
    target?: string[];
    guard?: unknown;
    actions: unknown[];
    reenter: boolean;
  }[];
}

const charts = [
  ...(await loadCharts(process.cwd())),
  { name: 'door', file: '', machine: doorMachine as AnyStateMachine },
];

const readBack = (value: unknown) => JSON.parse(JSON.stringify(value));

describe.each(charts)('the definition of $name as JSON', ({ machine }) => {
  it('read back, makes a machine of the same states and transitions', () => {
    const again: AnyStateMachine = createMachine(readBack(machine.config));
    expect(statesIn(again)).toEqual(statesIn(machine));
    expect(transitionsIn(again)).toEqual(transitionsIn(machine));
  });

  it('names every guard, action, actor and delay, which functions would lose', () => {
    const { implementations } = machine;
    const referred = [...stringsIn(readBack(machine.config))];
    for (const kind of ['actions', 'guards', 'actors', 'delays'] as const)
      expect(referred).toEqual(expect.arrayContaining(Object.keys(implementations[kind])));
    expect(transitionsIn(machine).flatMap(({ actions }) => actions)).not.toContain('inline');
  });

  it('has the states of XState’s toJSON, and its transitions but for “always”', () => {
    const read: Definition = readBack(machine);
    const nodes = below(read);
    expect(
      nodes.map(({ id, type, description, invoke = [] }) => [
        id,
        type,
        description,
        invoke.map((each) => [each.id, each.src]),
      ]),
    ).toEqual(statesIn(machine));
    const transitions = nodes.flatMap((node) =>
      node.transitions.map(({ source, eventType, target = [], guard, actions, reenter }) => ({
        source: source.slice(1),
        event: eventType,
        targets: target.map((id) => id.slice(1)),
        guard: guard === undefined ? null : word(guard),
        actions: actions.map((action) => word(action)),
        reenter,
      })),
    );
    expect(transitions).toEqual(transitionsIn(machine).filter(({ event }) => event !== ''));
  });
});

function statesIn(machine: AnyStateMachine) {
  return [machine.root, ...statesOf(machine)].map(({ id, type, description, invoke }) => [
    id,
    type,
    description,
    invoke.map((each) => [each.id, each.src]),
  ]);
}

function transitionsIn(machine: AnyStateMachine) {
  return transitionsOf(machine).map(({ source, targets, guard, actions, definition }) => ({
    source: source.id,
    event: definition.eventType,
    targets: targets.map(({ id }) => id),
    guard,
    actions,
    reenter: definition.reenter ?? false,
  }));
}

function below(node: Definition): Definition[] {
  return [node, ...Object.values(node.states).flatMap((child) => below(child))];
}

/** Every string and every key. */
function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  if (value === null || typeof value !== 'object') return;
  for (const [key, inside] of Object.entries(value)) {
    yield key;
    yield* stringsIn(inside);
  }
}
