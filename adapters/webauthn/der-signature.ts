/** ECDSA signatures as WebAuthn has them: DER (WebAuthn Level 2 §6.5.6, RFC 3279 §2.2.3). */
import { wireReader, type WireReader } from '../wire/wire-reader.ts';

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const size = 32;

/** Big-endian magnitudes, 1 to 32 bytes, without leading zeros. */
export interface RawSignature {
  r: Uint8Array;
  s: Uint8Array;
}

/**
 * `SEQUENCE { r INTEGER, s INTEGER }` of a P-256 signature in its only form; `null` for anything
 * else, zero and negative numbers included. Views on `der`.
 */
export function readDerSignature(der: Uint8Array): RawSignature | null {
  const reader = wireReader(der);
  // Two numbers of at most 33 bytes: no length here ever takes a second byte.
  if (reader.byte() !== SEQUENCE || reader.byte() !== der.length - 2) return null;
  const r = readInteger(reader);
  const s = readInteger(reader);
  return r !== null && s !== null && reader.atEnd() ? { r, s } : null;
}

function readInteger(reader: WireReader): Uint8Array | null {
  if (reader.byte() !== INTEGER) return null;
  const length = reader.byte();
  const value = length === null || length > size + 1 ? null : reader.raw(length);
  const [first, second] = value ?? [];
  if (value === null || first === undefined || first >= 0x80) return null;
  if (first > 0) return value.length > size ? null : value;
  return second !== undefined && second >= 0x80 ? value.subarray(1) : null;
}
