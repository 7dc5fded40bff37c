/**
 * The mutants of a chart: for each transition the chart without it, and for each guard the chart in
 * which that one use of it always holds.
 */

/** A machine's or a state's configuration, as far as transitions go. */
export interface ChartConfig {
  id?: string;
  states?: Record<string, ChartConfig>;
  [key: string]: unknown;
}

export interface Mutant {
  /** `door.day.closed on bell.rung: removed` or `…: without guard isKnown`. */
  name: string;
  /** The mutated chart; the original stays whole. */
  config: ChartConfig;
}

type Key = string | number;

/** A place in a configuration that holds one candidate transition or several. */
interface Slot {
  /** State and event, named as the coverage names them. */
  name: string;
  keys: Key[];
}

/** A mutant that loops for ever ends after so many steps, and a test fails. */
const options = { maxIterations: 1_000 };

/** All mutants of a machine's configuration, in the chart's order. */
export function mutantsOf(config: ChartConfig): Mutant[] {
  const mutants: Mutant[] = [];
  for (const { name, keys } of slotsOf(config, config.id ?? '(machine)', [])) {
    const held = at(config, keys);
    const candidates: unknown[] = Array.isArray(held) ? held : [held];
    for (const [i, candidate] of candidates.entries()) {
      const place = `${name}${i > 0 ? ` #${i + 1}` : ''}`;
      const others = candidates.filter((_, other) => other !== i);
      mutants.push({
        name: `${place}: removed`,
        config: { ...changed(config, keys, others.length > 0 ? others : undefined), options },
      });
      if (!isObject(candidate) || candidate['guard'] === undefined) continue;
      const { guard, ...unguarded } = candidate;
      mutants.push({
        name: `${place}: without guard ${guardName(guard)}`,
        config: { ...changed(config, keys, candidates.with(i, unguarded)), options },
      });
    }
  }
  return mutants;
}

function slotsOf(state: ChartConfig, name: string, keys: Key[]): Slot[] {
  const slot = (event: string, ...below: Key[]): Slot => ({
    name: `${name} on ${event}`,
    keys: [...keys, ...below],
  });
  const slots = [
    ...keysOf(state['on']).map((event) => slot(event, 'on', event)),
    ...(state['onDone'] === undefined ? [] : [slot('done', 'onDone')]),
    ...invocations(state['invoke']).flatMap(({ id, invocation, below }) =>
      outcomes
        .filter(([key]) => invocation[key] !== undefined)
        .map(([key, word]) => slot(`${word} ${id}`, 'invoke', ...below, key)),
    ),
    ...keysOf(state['after']).map((delay) => slot(`after ${delay}`, 'after', delay)),
    ...(state['always'] === undefined ? [] : [slot('always', 'always')]),
  ];
  const children = Object.entries(state.states ?? {}).flatMap(([key, child]) =>
    slotsOf(child, `${name}.${key}`, [...keys, 'states', key]),
  );
  return [...slots, ...children];
}

const outcomes = [
  ['onDone', 'done'],
  ['onError', 'error'],
  ['onSnapshot', 'snapshot'],
] as const;

function invocations(invoke: unknown) {
  const list: unknown[] = Array.isArray(invoke) ? invoke : invoke === undefined ? [] : [invoke];
  return list.filter(isObject).map((invocation, i) => ({
    id: String(invocation['id'] ?? invocation['src']),
    invocation,
    below: Array.isArray(invoke) ? [i] : [],
  }));
}

function guardName(guard: unknown): string {
  if (isObject(guard) && 'type' in guard) return String(guard['type']);
  return typeof guard === 'string' ? guard : 'inline';
}

function at(value: unknown, keys: Key[]): unknown {
  return keys.reduce((inside, key) => (inside as Record<Key, unknown>)[key], value);
}

/** A copy with another value at these keys; `undefined` takes the last key away. */
function changed<T>(whole: T, [key, ...rest]: Key[], value: unknown): T {
  if (key === undefined) return value as T;
  const copy = (Array.isArray(whole) ? [...whole] : { ...whole }) as Record<Key, unknown>;
  if (rest.length === 0 && value === undefined) delete copy[key];
  else copy[key] = changed(copy[key], rest, value);
  return copy as T;
}

const keysOf = (value: unknown) => (isObject(value) ? Object.keys(value) : []);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
