/** Server host keys (RFC 4253 §6.6), plain or certified, and their signatures. */
import type { Buffer } from 'node:buffer';
import { readHostCertificate, type HostCertificate } from './host-certificate.ts';
import { isPlainKeyType, readPlainKey } from './plain-key.ts';
import { verifyPlainSignature } from './plain-signature.ts';
import { fingerprint } from './public-key.ts';
import { CERTIFIED_KEY_TYPES } from '../wire/protocol.ts';
import { wireReader } from '../wire/wire-reader.ts';

export interface HostKey {
  /** Of the plain key, also for a certificate: `ssh-ed25519`, … */
  keyType: string;
  /** The plain key blob, also when the blob was a certificate. A copy. */
  keyBlob: Buffer;
  /** `SHA256:…` of the plain key blob. */
  fingerprint: string;
  /** What it says is not held against a name or a clock here: see `certificateProblem`. */
  certificate: HostCertificate | null;
}

/** Bytes. A certificate of a 4096-bit RSA key for a hundred long names fits. */
const longestBlob = 16 * 1024;

/**
 * `null`: malformed, or of a type that cannot be checked here. A certificate with a defect is read:
 * its key can still prove itself.
 */
export function readHostKey(blob: Uint8Array): HostKey | null {
  if (blob.length > longestBlob) return null;
  const certified = readHostCertificate(blob);
  const key = certified?.key ?? readPlainKey(blob);
  return (
    key && {
      keyType: key.keyType,
      keyBlob: key.keyBlob,
      fingerprint: fingerprint(key.keyBlob),
      certificate: certified?.certificate ?? null,
    }
  );
}

/**
 * The type's name of a key blob that cannot be checked here because of its type: printable
 * (RFC 4251 §6), and something after it, which nobody here can read. `null` for every other blob,
 * so also for a malformed one, or a too weak one, of a type that can be checked.
 */
export function unsupportedHostKeyType(blob: Uint8Array): string | null {
  if (blob.length > longestBlob) return null;
  const reader = wireReader(blob);
  const keyType = reader.text();
  if (keyType === null || !/^[!-~]{1,64}$/.test(keyType) || reader.string() === null) return null;
  return isPlainKeyType(keyType) || CERTIFIED_KEY_TYPES.has(keyType) ? null : keyType;
}

/** Whether `blob` looks like a key of a type that cannot be checked here. */
export function isUnsupportedHostKey(blob: Uint8Array): boolean {
  return unsupportedHostKeyType(blob) !== null;
}

/**
 * Whether `signature` is this key's signature over `data`; of a certificate, the certified key's.
 * RSA with SHA-1 never is. Strict; never throws.
 */
export function verifyHostSignature(
  hostKey: HostKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = readPlainKey(hostKey.keyBlob);
  return key !== null && verifyPlainSignature(key, data, signature);
}
