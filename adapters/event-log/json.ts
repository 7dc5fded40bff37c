import { UnrecordableEvent } from './errors.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const DEEPEST = 64;

/**
 * `value` as JSON text that gives the same value back.
 *
 * Properties that are `undefined` are left out, and -0 becomes 0. Throws {@link UnrecordableEvent},
 * with the path and never the value, for all else that JSON would change or lose: NaN, bigint,
 * functions, `undefined` in a list, class instances (Error, Date, Map, Uint8Array), circles.
 */
export function encodeJson(value: unknown, name = 'data'): string {
  refuseUnlessJson(value, name, 0);
  return JSON.stringify(value);
}

function refuseUnlessJson(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (depth > DEEPEST) throw new UnrecordableEvent(`${path} is circular or too deep`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) refuseUnlessJson(value[i], `${path}[${i}]`, depth + 1);
    return;
  }
  if (typeof value === 'object' && isPlain(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) refuseUnlessJson(member, `${path}.${key}`, depth + 1);
    }
    return;
  }
  throw new UnrecordableEvent(`${path} is ${kindOf(value)}, which JSON cannot give back`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'an object';
  return typeof value === 'number' ? String(value) : typeof value;
}
