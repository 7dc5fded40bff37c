/**
 * The cryptography of a first meeting. The phone commits to a nonce before it sees the headset's,
 * so that whoever stands between the two cannot search for digits that agree: they have one chance
 * in a million a try.
 */
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Bytes of a nonce and of a commitment. */
export const NONCE_LENGTH = 32;

const EXPORTER_LENGTH = 32;
/** The label under which both sides export keying material (RFC 8446 §7.5). */
export const EXPORTER = { length: EXPORTER_LENGTH, label: 'EXPORTER-vmux-pair/1' };

/** What the digits bind. Pins are those of each side's certificate, as its peer sees it. */
export interface Meeting {
  exporter: Uint8Array;
  phoneNonce: Uint8Array;
  headsetNonce: Uint8Array;
  phonePin: string;
  headsetPin: string;
}

/** Each part preceded by its length as u32, so that no two lists of parts read the same. */
function joined(parts: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** What the phone sends before it sees the headset's nonce: SHA-256. */
export function commitmentTo(phoneNonce: Uint8Array): Buffer {
  return createHash('sha256')
    .update(joined(['vmux-pair/1 commitment', phoneNonce]))
    .digest();
}

export function commitmentHolds(commitment: Uint8Array, phoneNonce: Uint8Array): boolean {
  const expected = commitmentTo(phoneNonce);
  return commitment.length === expected.length && timingSafeEqual(commitment, expected);
}

/** Six digits, equal on both sides exactly when nobody stands between them. */
export function digitsOf(meeting: Meeting): string {
  const { exporter, phoneNonce, headsetNonce, phonePin, headsetPin } = meeting;
  const salt = joined([phoneNonce, headsetNonce]);
  const info = joined(['vmux-pair/1 digits', phonePin, headsetPin]);
  const output = Buffer.from(hkdfSync('sha256', exporter, salt, info, 8));
  return String(output.readBigUInt64BE() % 1_000_000n).padStart(6, '0');
}

/** Whether the typed digits are these, without an early exit. Both are six digits. */
export function sameDigits(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
