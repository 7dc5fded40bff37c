/**
 * Takes out of recorded data what is the person's: hosts, users, device names, keys, addresses and
 * whatever else is not on the lists of `fields.ts`.
 */
import { ids, names, numbers, tables, words } from './fields.ts';

/** Stands for a text or a number that stays on this machine. */
export const KEPT = '(kept here)';

/** The same JSON shape with nothing of the person's in it; see {@link createKeeper}. */
export type Keeper = (value: unknown) => unknown;

/**
 * A keeper that calls one id by one name wherever it meets it: `request-1`, `device-2`. The names
 * count up from 1 and say nothing about the id.
 */
export function createKeeper(): Keeper {
  const known = new Map<string, string>();
  const counts = new Map<string, number>();

  function aliasOf(kind: string, id: string): string {
    const key = `${kind} ${id}`;
    const alias = known.get(key) ?? `${kind}-${(counts.get(kind) ?? 0) + 1}`;
    if (!known.has(key)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    known.set(key, alias);
    return alias;
  }

  /** A request's ref on the phone is `DEVICE/REQUEST`: the request is the one of the headset. */
  const idShown = (kind: string, id: string) =>
    aliasOf(kind, kind === 'request' ? id.slice(id.lastIndexOf('/') + 1) : id);

  function valueShown(field: string, value: unknown): unknown {
    if (value === null || value === undefined || typeof value === 'boolean') return value;
    if (Array.isArray(value)) return value.map((one) => valueShown(field, one));
    if (typeof value === 'object') return objectShown(field, value);
    const kind = ids.get(field);
    if (kind !== undefined && typeof value === 'string') return idShown(kind, value);
    if (typeof value === 'number' && numbers.has(field)) return value;
    if (typeof value === 'string' && words.get(field)?.has(value)) return value;
    return KEPT;
  }

  function objectShown(field: string, value: object): unknown {
    const kind = tables.get(field);
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (kind !== undefined) return [aliasOf(kind, name), valueShown('', member)];
        if (isKnown(name)) return [name, valueShown(name, member)];
        return [aliasOf('field', name), KEPT];
      }),
    );
  }

  return (value) => valueShown('', value);
}

const isKnown = (name: string) =>
  names.has(name) || numbers.has(name) || words.has(name) || ids.has(name) || tables.has(name);
