/** Recorded data as a page may show it: nothing in it can hide, reorder or overflow. */
import { showForeign } from '../terminal/foreign-text.ts';

/** Display cells that one text of a context or an event may take. */
const longText = 400;
/** The same for a field of a row. */
const longField = 80;
/** Fields of one row. */
const mostFields = 24;

/** The same JSON value with every text in it, names included, as {@link showForeign} gives it. */
export function shown(value: unknown): unknown {
  if (typeof value === 'string') return showForeign(value, longText);
  if (Array.isArray(value)) return value.map((one) => shown(one));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [showForeign(name, longText), shown(member)]),
  );
}

/**
 * The plain fields of an event's data, in order, as text: `phone.name`, and lists of plain values
 * in one; of a list of objects the number. Of `xstate.init` the input.
 */
export function fieldsOf(type: string, data: unknown): [name: string, value: string][] {
  if (data === null || typeof data !== 'object') return [];
  const of = type === 'xstate.init' && 'input' in data ? data.input : data;
  return plainFields(of, []).slice(0, mostFields);
}

function plainFields(data: unknown, path: string[]): [string, string][] {
  if (data === null || typeof data !== 'object') return [];
  return Object.entries(data).flatMap(([name, value]): [string, string][] => {
    const here = [...path, name];
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return path.length < 2 ? plainFields(value, here) : [];
    const text = Array.isArray(value) ? listed(value) : String(value);
    return [[showForeign(here.join('.'), longField), showForeign(text, longField)]];
  });
}

function listed(values: unknown[]): string {
  const arePlain = values.every((value) => value === null || typeof value !== 'object');
  return arePlain ? values.map(String).join(', ') : `${values.length}`;
}
