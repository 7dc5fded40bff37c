/** OpenSSH host certificates (PROTOCOL.certkeys), read strictly and with their CA's signature. */
import { readKeyFields, readPlainKey, type PlainKey } from './plain-key.ts';
import { verifyPlainSignature } from './plain-signature.ts';
import { fingerprint } from './public-key.ts';
import { SSH_CERT_TYPE_HOST } from './protocol.ts';
import { readCertificateFields } from '../wire/certificate-fields.ts';
import { CERTIFIED_KEY_TYPES, SSH_CERT_TYPE_USER } from '../wire/protocol.ts';
import { wireReader } from '../wire/wire-reader.ts';

export interface HostCertificate {
  /** Of the CA's plain key blob. Whether that CA may certify anything is not asked here. */
  caFingerprint: string;
  /** Host names, as they stand in it; empty means that it names none. */
  principals: string[];
  /** Seconds since 1970. `validBefore` is 2^64 − 1 for "forever". */
  validAfter: bigint;
  validBefore: bigint;
  /**
   * What is wrong with it whoever the CA is; `null` when nothing. `badSignature`: no signature of
   * that CA that can be checked here. No critical option is known for hosts.
   */
  defect: 'badSignature' | 'userCertificate' | 'criticalOptions' | null;
}

/** `null` unless `blob` is wholly one certificate of a key that can be checked here. */
export function readHostCertificate(
  blob: Uint8Array,
): { key: PlainKey; certificate: HostCertificate } | null {
  const reader = wireReader(blob);
  const keyType = CERTIFIED_KEY_TYPES.get(reader.text() ?? '');
  if (keyType === undefined) return null;
  const nonce = reader.string();
  const key = readKeyFields(keyType, reader);
  const fields = readCertificateFields(reader);
  if (nonce === null || nonce.length === 0 || key === null) return null;
  if (fields === null || !reader.atEnd()) return null;
  const { type, principals, validAfter, validBefore, criticalOptions, caKey, signature } = fields;
  if (type !== SSH_CERT_TYPE_HOST && type !== SSH_CERT_TYPE_USER) return null;
  const signed = blob.subarray(0, blob.length - 4 - signature.length);
  const defect = !isSignedBy(caKey, signed, signature)
    ? 'badSignature'
    : type === SSH_CERT_TYPE_USER
      ? 'userCertificate'
      : criticalOptions.length > 0
        ? 'criticalOptions'
        : null;
  const caFingerprint = fingerprint(caKey);
  return { key, certificate: { caFingerprint, principals, validAfter, validBefore, defect } };
}

/** A CA's key is a plain one: there are no chains. */
function isSignedBy(caKey: Uint8Array, signed: Uint8Array, signature: Uint8Array): boolean {
  const ca = readPlainKey(caKey);
  return ca !== null && verifyPlainSignature(ca, signed, signature);
}

/**
 * Why the certificate may not stand for `name`, a host name without a port, at `now`, milliseconds
 * since 1970; `null` when it may, provided that its CA may certify that host. A principal is a
 * name, not a pattern, and the case of ASCII letters does not matter. One that names no host stands
 * for none, although OpenSSH takes it for all.
 */
export function certificateProblem(
  { defect, principals, validAfter, validBefore }: HostCertificate,
  name: string,
  now: number,
): 'expired' | 'notYetValid' | 'otherHost' | HostCertificate['defect'] {
  if (defect !== null) return defect;
  const seconds = BigInt(Math.floor(now / 1000));
  if (seconds < validAfter) return 'notYetValid';
  if (seconds >= validBefore) return 'expired';
  const wanted = lowerCase(name);
  return principals.some((principal) => lowerCase(principal) === wanted) ? null : 'otherHost';
}

/** ASCII only: no other letter may become one of a host's name. */
const lowerCase = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
