/** P-256 public keys as SSH has them: blob (RFC 5656 §3.1), fingerprint, authorized_keys line. */
import { Buffer } from 'node:buffer';
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { PublicIdentity } from '../../machines/ports.ts';
import { ECDSA_SHA2_NISTP256, NISTP256 } from './protocol.ts';
import { encodeString, wireReader } from '../wire/ssh-wire.ts';

/** SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING: what precedes the point (RFC 5480 §2). */
const spkiPrefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

const uncompressed = 0x04;

/** Whether `point` is 65 bytes `04 x y` (SEC 1 §2.3.3). Whether it is on the curve is not asked. */
export function isUncompressedPoint(point: Uint8Array): boolean {
  return point.length === 65 && point[0] === uncompressed;
}

/** The key blob of an uncompressed point: `string type, string curve, string Q`. */
export function publicKeyBlob(point: Uint8Array): Buffer {
  return Buffer.concat([
    encodeString(ECDSA_SHA2_NISTP256),
    encodeString(NISTP256),
    encodeString(point),
  ]);
}

/** The point inside a plain P-256 key blob; `null` for anything else or anything more. */
export function pointOf(keyBlob: Uint8Array): Uint8Array | null {
  const reader = wireReader(keyBlob);
  if (reader.text() !== ECDSA_SHA2_NISTP256 || reader.text() !== NISTP256) return null;
  const point = reader.string();
  return point !== null && reader.atEnd() && isUncompressedPoint(point) ? point : null;
}

/** The key for verifying; `null` when `keyBlob` is no P-256 key blob or its point is off the curve. */
export function readPublicKey(keyBlob: Uint8Array): KeyObject | null {
  const point = pointOf(keyBlob);
  if (point === null) return null;
  try {
    const der = Buffer.concat([spkiPrefix, point]);
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

/** `SHA256:` and the unpadded base64 of the blob's SHA-256, as `ssh-keygen -l` prints it. */
export function fingerprint(keyBlob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * The line for authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT), without a newline. A label
 * can never start another line: what is not printable in it becomes a space.
 */
export function publicKeyLine(
  identity: Pick<PublicIdentity, 'algorithm' | 'publicKey' | 'label'>,
): string {
  const comment = identity.label.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return `${identity.algorithm} ${identity.publicKey} ${comment}`.trimEnd();
}

/** What is public about a P-256 identity. `keyBlob` must be one that `pointOf` can read. */
export function publicIdentity(keyBlob: Uint8Array, label: string): PublicIdentity {
  return {
    fingerprint: fingerprint(keyBlob),
    label,
    algorithm: ECDSA_SHA2_NISTP256,
    publicKey: Buffer.from(keyBlob).toString('base64'),
  };
}
