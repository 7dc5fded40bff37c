/**
 * What a phone is willing to sign, read from the very bytes: one publickey login of RFC 4252 §7,
 * its hostbound form, either with a P-256 key, a passkey or a P-256 key's user certificate, or
 * SSHSIG. Nothing else is readable. The same in `signer` and in its page.
 */
import { p256KeyBlob, readIdentityKey } from './identity-key.ts';
import {
  ECDSA_SHA2_NISTP256_CERT,
  METHOD_PUBLICKEY,
  METHOD_PUBLICKEY_HOSTBOUND,
  SSHSIG_HASH_LENGTHS,
  SSHSIG_MAGIC,
  SSH_CONNECTION,
  SSH_MSG_USERAUTH_REQUEST,
} from './protocol.ts';
import { SESSION_ID_LENGTHS } from './session-bind.ts';
import { readUserCertificateFields, type UserCertificateFields } from './user-certificate.ts';
import { decodeUtf8, wireReader } from './wire-reader.ts';

/** A login. Bytes are views on what was read, but for `plainKey` of a certificate. */
export interface LoginFields {
  kind: 'publickey' | 'hostbound' | 'certificate';
  sessionId: Uint8Array;
  user: string;
  algorithm: string;
  /** As it stands in the bytes: a certificate's blob for a certificate. */
  keyBlob: Uint8Array;
  /** The blob of the key that signs, which is what an identity is known by. */
  plainKey: Uint8Array;
  /** The server's host key blob; `null` in the form that is not hostbound. */
  hostKey: Uint8Array | null;
  certificate: UserCertificateFields | null;
}

/** SSHSIG (OpenSSH PROTOCOL.sshsig). The bytes name neither key nor user. */
export interface SshsigFields {
  kind: 'sshsig';
  namespace: string;
  hashAlgorithm: string;
  hash: Uint8Array;
}

export type SignDataFields = LoginFields | SshsigFields;

/** `null` unless `data` is wholly and strictly one of the forms above. Never throws. */
export function readSignDataFields(data: Uint8Array): SignDataFields | null {
  return readLogin(data) ?? readSshsig(data);
}

function readLogin(data: Uint8Array): LoginFields | null {
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
    sessionId,
    user,
    algorithm,
    keyBlob,
    hostKey: hostKey ?? null,
    ...key,
  };
}

function readUserKey(
  algorithm: string,
  keyBlob: Uint8Array,
): Pick<LoginFields, 'plainKey' | 'certificate'> | null {
  if (algorithm !== ECDSA_SHA2_NISTP256_CERT) {
    const isItsOwn = readIdentityKey(keyBlob)?.algorithm === algorithm;
    return isItsOwn ? { plainKey: keyBlob, certificate: null } : null;
  }
  const certificate = readUserCertificateFields(keyBlob);
  return certificate && { plainKey: p256KeyBlob(certificate.point), certificate };
}

/** A host key of any type: a printable type name and something after it (RFC 4253 §6.6). */
function isKeyBlob(blob: Uint8Array): boolean {
  const reader = wireReader(blob);
  const type = reader.text();
  return type !== null && /^[!-~]{1,64}$/.test(type) && reader.string() !== null;
}

function readSshsig(data: Uint8Array): SshsigFields | null {
  const reader = wireReader(data);
  const magic = reader.raw(SSHSIG_MAGIC.length);
  if (magic === null || decodeUtf8(magic) !== SSHSIG_MAGIC) return null;
  const namespace = reader.text();
  const reserved = reader.string();
  const hashAlgorithm = reader.text();
  const hash = reader.string();
  if (namespace === null || namespace === '' || reserved === null || reserved.length !== 0) {
    return null;
  }
  if (hashAlgorithm === null || hash === null || !reader.atEnd()) return null;
  if (SSHSIG_HASH_LENGTHS.get(hashAlgorithm) !== hash.length) return null;
  return { kind: 'sshsig', namespace, hashAlgorithm, hash };
}
