/**
 * What this phone is willing to sign, read from the very bytes: one publickey login of RFC 4252 §7,
 * its hostbound form, either with a P-256 key, a passkey or a P-256 key's user certificate, or
 * SSHSIG. Nothing else is readable.
 */
import { Buffer } from 'node:buffer';
import type { RequestKind } from '../../machines/phone/ports.ts';
import { readUserCertificate, type UserCertificate } from './certificate.ts';
import { fingerprint } from './public-key.ts';
import {
  ECDSA_SHA2_NISTP256_CERT,
  METHOD_PUBLICKEY,
  METHOD_PUBLICKEY_HOSTBOUND,
  SSHSIG_HASH_LENGTHS,
  SSHSIG_MAGIC,
  SSH_CONNECTION,
  SSH_MSG_USERAUTH_REQUEST,
} from './protocol.ts';
import { readIdentityKey } from '../wire/identity-key.ts';
import { SESSION_ID_LENGTHS } from '../wire/session-bind.ts';
import { wireReader } from '../wire/ssh-wire.ts';

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

/** `null` unless `data` is wholly and strictly one of the forms above. Never throws. */
export function readSignData(data: Uint8Array): SignData | null {
  return readLogin(data) ?? readSshsig(data);
}

function readLogin(data: Uint8Array): LoginSignData | null {
  const reader = wireReader(data);
  const sessionId = reader.string();
  if (sessionId === null || !SESSION_ID_LENGTHS.has(sessionId.length)) return null;
  if (reader.byte() !== SSH_MSG_USERAUTH_REQUEST) return null;
  const user = reader.text();
  if (user === null || user === '' || reader.text() !== SSH_CONNECTION) return null;
  const method = reader.text();
  if (method !== METHOD_PUBLICKEY && method !== METHOD_PUBLICKEY_HOSTBOUND) return null;
  if (reader.boolean() !== true) return null;
  const algorithm = reader.text();
  const keyBlob = reader.string();
  const hostKey = method === METHOD_PUBLICKEY_HOSTBOUND ? reader.string() : undefined;
  if (algorithm === null || keyBlob === null || hostKey === null || !reader.atEnd()) return null;
  if (hostKey !== undefined && !isKeyBlob(hostKey)) return null;

  const key = readUserKey(algorithm, keyBlob);
  if (key === null) return null;
  return {
    kind: key.certificate ? 'certificate' : hostKey ? 'hostbound' : 'publickey',
    sessionId: Buffer.from(sessionId),
    user,
    algorithm,
    keyBlob: Buffer.from(keyBlob),
    fingerprint: key.fingerprint,
    hostKey: hostKey ? Buffer.from(hostKey) : null,
    certificate: key.certificate,
  };
}

function readUserKey(
  algorithm: string,
  keyBlob: Uint8Array,
): { fingerprint: string; certificate: UserCertificate | null } | null {
  if (algorithm !== ECDSA_SHA2_NISTP256_CERT) {
    const isItsOwn = readIdentityKey(keyBlob)?.algorithm === algorithm;
    return isItsOwn ? { fingerprint: fingerprint(keyBlob), certificate: null } : null;
  }
  const certificate = readUserCertificate(keyBlob);
  return certificate && { fingerprint: fingerprint(certificate.keyBlob), certificate };
}

/** A host key of any type: a printable type name and something after it (RFC 4253 §6.6). */
function isKeyBlob(blob: Uint8Array): boolean {
  const reader = wireReader(blob);
  const type = reader.text();
  return type !== null && /^[!-~]{1,64}$/.test(type) && reader.string() !== null;
}

function readSshsig(data: Uint8Array): SshsigSignData | null {
  const reader = wireReader(data);
  const magic = reader.raw(SSHSIG_MAGIC.length);
  if (magic === null || !Buffer.from(SSHSIG_MAGIC).equals(magic)) return null;
  const namespace = reader.text();
  const reserved = reader.string();
  const hashAlgorithm = reader.text();
  const hash = reader.string();
  if (namespace === null || namespace === '' || reserved === null || reserved.length !== 0) {
    return null;
  }
  if (hashAlgorithm === null || hash === null || !reader.atEnd()) return null;
  if (SSHSIG_HASH_LENGTHS.get(hashAlgorithm) !== hash.length) return null;
  return { kind: 'sshsig', namespace, hashAlgorithm, hash: Buffer.from(hash) };
}
