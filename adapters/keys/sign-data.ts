/** What this phone is willing to sign, read from the very bytes, with the names that keys go by. */
import { Buffer } from 'node:buffer';
import type { RequestKind } from '../../machines/phone/ports.ts';
import { readSignDataFields } from '../wire/sign-data.ts';
import { userCertificate, type UserCertificate } from './certificate.ts';
import { fingerprint } from './public-key.ts';

/** A login. `keyBlob` is the blob as it stands in the bytes: a certificate's for a certificate. */
export interface LoginSignData {
  kind: Exclude<RequestKind, 'sshsig'>;
  sessionId: Buffer;
  user: string;
  algorithm: string;
  keyBlob: Buffer;
  /** Of the plain key, also when `keyBlob` is a certificate. */
  fingerprint: string;
  /** The server's host key blob; `null` in the form that is not hostbound. */
  hostKey: Buffer | null;
  certificate: UserCertificate | null;
}

/** SSHSIG (OpenSSH PROTOCOL.sshsig). The bytes name neither key nor user. */
export interface SshsigSignData {
  kind: 'sshsig';
  namespace: string;
  hashAlgorithm: string;
  hash: Buffer;
}

export type SignData = LoginSignData | SshsigSignData;

/**
 * `null` unless `data` is wholly and strictly a login or an SSHSIG (`adapters/wire/sign-data.ts`).
 * Never throws. The buffers are copies.
 */
export function readSignData(data: Uint8Array): SignData | null {
  const fields = readSignDataFields(data);
  if (fields === null) return null;
  if (fields.kind === 'sshsig') return { ...fields, hash: Buffer.from(fields.hash) };
  const { kind, sessionId, user, algorithm, keyBlob, plainKey, hostKey, certificate } = fields;
  return {
    kind,
    sessionId: Buffer.from(sessionId),
    user,
    algorithm,
    keyBlob: Buffer.from(keyBlob),
    fingerprint: fingerprint(plainKey),
    hostKey: hostKey && Buffer.from(hostKey),
    certificate: certificate && userCertificate(certificate),
  };
}
