/**
 * The public keys that an identity can have, as SSH has them: a plain P-256 key (RFC 5656 §3.1), or
 * a passkey, which is a security key whose application is a WebAuthn relying party (OpenSSH
 * PROTOCOL.u2f).
 */
import { isRpId } from './relying-party.ts';
import { wireReader } from './wire-reader.ts';
import { concatBytes, wireString } from './wire-writer.ts';

/** RFC 5656 §3.1, §6.2: key type, signature algorithm and curve of a P-256 key. */
export const ECDSA_SHA2_NISTP256 = 'ecdsa-sha2-nistp256';
export const NISTP256 = 'nistp256';

/** OpenSSH PROTOCOL.u2f: the key type, and the algorithm that a login names. */
export const SK_ECDSA_SHA2_NISTP256 = 'sk-ecdsa-sha2-nistp256@openssh.com';

/** OpenSSH PROTOCOL.u2f: the algorithm inside a signature that was made through WebAuthn. */
export const WEBAUTHN_SK_ECDSA_SHA2_NISTP256 = 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com';

/** `point`: 65 bytes `04 x y` (SEC 1 §2.3.3). Whether it is on the curve is not asked. */
export type IdentityKey =
  | { algorithm: typeof ECDSA_SHA2_NISTP256; point: Uint8Array }
  | { algorithm: typeof SK_ECDSA_SHA2_NISTP256; point: Uint8Array; rpId: string };

/** The key of a passkey. */
export type PasskeyKey = Extract<IdentityKey, { algorithm: typeof SK_ECDSA_SHA2_NISTP256 }>;

const uncompressed = 0x04;

/** Whether `point` is 65 bytes `04 x y` (SEC 1 §2.3.3). Whether it is on the curve is not asked. */
export function isUncompressedPoint(point: Uint8Array): boolean {
  return point.length === 65 && point[0] === uncompressed;
}

/** The blob of a plain key (RFC 5656 §3.1): `string type, string curve, string Q`. */
export function p256KeyBlob(point: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(wireString(ECDSA_SHA2_NISTP256), wireString(NISTP256), wireString(point));
}

/**
 * `null` unless `blob` is wholly one key of an identity. The point is a view on `blob`. A security
 * key whose application is no relying party, such as `ssh:`, is none.
 */
export function readIdentityKey(blob: Uint8Array): IdentityKey | null {
  const reader = wireReader(blob);
  const algorithm = reader.text();
  if (reader.text() !== NISTP256) return null;
  const point = reader.string();
  if (point === null || !isUncompressedPoint(point)) return null;
  if (algorithm === ECDSA_SHA2_NISTP256) return reader.atEnd() ? { algorithm, point } : null;
  if (algorithm !== SK_ECDSA_SHA2_NISTP256) return null;
  const rpId = reader.text();
  if (rpId === null || !isRpId(rpId) || !reader.atEnd()) return null;
  return { algorithm, point, rpId };
}

/** As `readIdentityKey`, but `null` for everything that is no passkey. */
export function readPasskeyKey(blob: Uint8Array): PasskeyKey | null {
  const key = readIdentityKey(blob);
  return key?.algorithm === SK_ECDSA_SHA2_NISTP256 ? key : null;
}
