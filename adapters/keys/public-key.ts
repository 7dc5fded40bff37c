/** Public keys of identities as SSH has them: blob, fingerprint, authorized_keys line. */
import { Buffer } from 'node:buffer';
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { PublicIdentity } from '../../machines/ports.ts';
import {
  ECDSA_SHA2_NISTP256,
  p256KeyBlob,
  readIdentityKey,
  SK_ECDSA_SHA2_NISTP256,
} from '../wire/identity-key.ts';

/** SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING: what precedes the point (RFC 5480 §2). */
const spkiPrefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** The key blob (RFC 5656 §3.1) of an uncompressed point. */
export function publicKeyBlob(point: Uint8Array): Buffer {
  return Buffer.from(p256KeyBlob(point));
}

/** The point inside a plain P-256 key blob; `null` for anything else or anything more. */
export function pointOf(keyBlob: Uint8Array): Uint8Array | null {
  const key = readIdentityKey(keyBlob);
  return key?.algorithm === ECDSA_SHA2_NISTP256 ? key.point : null;
}

/** The key for verifying; `null` when `keyBlob` is no P-256 key blob or its point is off the curve. */
export function readPublicKey(keyBlob: Uint8Array): KeyObject | null {
  const point = pointOf(keyBlob);
  return point && publicKeyAt(point);
}

/** The key for verifying of 65 bytes `04 x y`; `null` when they are off the curve. */
export function publicKeyAt(point: Uint8Array): KeyObject | null {
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
 * can never start another line: what is not printable in it becomes a space. A passkey's line has
 * the server itself refuse a signature without user verification.
 */
export function publicKeyLine(
  identity: Pick<PublicIdentity, 'algorithm' | 'publicKey' | 'label'>,
): string {
  const comment = identity.label.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  const options = identity.algorithm === SK_ECDSA_SHA2_NISTP256 ? 'verify-required ' : '';
  return `${options}${identity.algorithm} ${identity.publicKey} ${comment}`.trimEnd();
}

/** What is public about an identity. Throws when `keyBlob` is not one that an identity can have. */
export function publicIdentity(keyBlob: Uint8Array, label: string): PublicIdentity {
  const key = readIdentityKey(keyBlob);
  if (key === null) throw new TypeError('not the key of an identity');
  return {
    fingerprint: fingerprint(keyBlob),
    label,
    algorithm: key.algorithm,
    publicKey: Buffer.from(keyBlob).toString('base64'),
  };
}
