/** OpenSSH user certificates for P-256 keys, as a person is told of them. */
import { Buffer } from 'node:buffer';
import { p256KeyBlob } from '../wire/identity-key.ts';
import { readUserCertificateFields, type UserCertificateFields } from '../wire/user-certificate.ts';
import { fingerprint } from './public-key.ts';

/**
 * A user certificate. Its CA's signature is *not* verified here: what a person reads of it is what
 * the bytes say, and a server refuses the login when that signature is false.
 */
export interface UserCertificate extends Omit<UserCertificateFields, 'point' | 'caKey'> {
  /** The plain key blob of the certified key. */
  keyBlob: Buffer;
  caFingerprint: string;
}

/** `null` unless `blob` is wholly one P-256 user certificate, in canonical form. */
export function readUserCertificate(blob: Uint8Array): UserCertificate | null {
  const fields = readUserCertificateFields(blob);
  return fields && userCertificate(fields);
}

export function userCertificate({ point, caKey, ...rest }: UserCertificateFields): UserCertificate {
  const keyBlob = Buffer.from(p256KeyBlob(point));
  return { keyBlob, ...rest, caFingerprint: fingerprint(caKey) };
}
