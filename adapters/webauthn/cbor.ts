/**
 * As much CBOR (RFC 8949) as authenticators write: the canonical form of CTAP 2.1 §8, without tags
 * and floating point. Reading never throws and never trusts a length.
 */
import { Buffer } from 'node:buffer';
import { decodeUtf8 } from '../wire/wire-reader.ts';

export type CborValue =
  number | string | boolean | null | Uint8Array | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<number | string, CborValue>;

/** CTAP 2.1 §8: at most so many maps and arrays inside each other. */
const deepest = 4;

const argumentSizes: ReadonlyMap<number, number> = new Map([
  [24, 1],
  [25, 2],
  [26, 4],
  [27, 8],
]);

/** The least argument that needs so many bytes. */
const leastOf: ReadonlyMap<number, number> = new Map([
  [1, 24],
  [2, 2 ** 8],
  [4, 2 ** 16],
  [8, 2 ** 32],
]);

/** RFC 8949 §3.3. */
const simpleValues: ReadonlyMap<number, boolean | null> = new Map<number, boolean | null>([
  [20, false],
  [21, true],
  [22, null],
]);

/**
 * The value that begins at `start`, and where it ends; `null` when it is not wholly there or not in
 * canonical form: a longer form of a number than it needs, map keys out of order or twice, an
 * indefinite length, a number beyond 2^53. Byte strings are views on `bytes`.
 */
export function readCbor(
  bytes: Uint8Array,
  start: number,
): { value: CborValue; end: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;

  function raw(count: number): Uint8Array | undefined {
    if (count > bytes.length - at) return undefined;
    at += count;
    return bytes.subarray(at - count, at);
  }

  function argument(info: number): number | undefined {
    if (info < 24) return info;
    const size = argumentSizes.get(info);
    if (size === undefined || raw(size) === undefined) return undefined;
    let value = 0;
    for (let i = at - size; i < at; i++) value = value * 256 + view.getUint8(i);
    return value >= (leastOf.get(size) ?? 0) && Number.isSafeInteger(value) ? value : undefined;
  }

  function item(depth: number): CborValue | undefined {
    const head = raw(1)?.[0];
    if (head === undefined) return undefined;
    const major = head >> 5;
    if (major === 7) return simpleValues.get(head & 0x1f);
    const count = argument(head & 0x1f);
    if (count === undefined) return undefined;
    switch (major) {
      case 0:
        return count;
      case 1:
        return -1 - count;
      case 2:
        return raw(count);
      case 3: {
        const text = raw(count);
        return text && (decodeUtf8(text) ?? undefined);
      }
      case 4:
        return depth === deepest ? undefined : array(count, depth + 1);
      case 5:
        return depth === deepest ? undefined : map(count, depth + 1);
      default:
        return undefined;
    }
  }

  function array(count: number, depth: number): CborValue[] | undefined {
    const values: CborValue[] = [];
    for (let left = count; left > 0; left--) {
      const value = item(depth);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  function map(count: number, depth: number): CborMap | undefined {
    const entries = new Map<number | string, CborValue>();
    let previous: Uint8Array | null = null;
    for (let left = count; left > 0; left--) {
      const from = at;
      const key = item(depth);
      if (typeof key !== 'number' && typeof key !== 'string') return undefined;
      const encoded = bytes.subarray(from, at);
      // CTAP's order, by type, then length, then bytes, is that of the canonical encodings' bytes.
      if (previous !== null && Buffer.compare(previous, encoded) >= 0) return undefined;
      previous = encoded;
      const value = item(depth);
      if (value === undefined) return undefined;
      entries.set(key, value);
    }
    return entries;
  }

  const value = item(0);
  return value === undefined ? null : { value, end: at };
}
