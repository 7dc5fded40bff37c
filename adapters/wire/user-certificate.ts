/** OpenSSH user certificates for P-256 keys (OpenSSH PROTOCOL.certkeys), read strictly. */
import { readCertificateFields, type CertificateFields } from './certificate-fields.ts';
import { isUncompressedPoint, NISTP256 } from './identity-key.ts';
import { ECDSA_SHA2_NISTP256_CERT, SSH_CERT_TYPE_USER } from './protocol.ts';
import { wireReader } from './wire-reader.ts';

/** Nobody has verified the CA's signature, which is there. */
export interface UserCertificateFields extends Omit<CertificateFields, 'type' | 'signature'> {
  /** Of the certified key: 65 bytes `04 x y`. */
  point: Uint8Array;
}

/** `null` unless `blob` is wholly one P-256 user certificate, in canonical form. */
export function readUserCertificateFields(blob: Uint8Array): UserCertificateFields | null {
  const reader = wireReader(blob);
  if (reader.text() !== ECDSA_SHA2_NISTP256_CERT) return null;
  const nonce = reader.string();
  const curve = reader.text();
  const point = reader.string();
  const fields = readCertificateFields(reader);
  if (nonce === null || nonce.length === 0 || curve !== NISTP256) return null;
  if (point === null || !isUncompressedPoint(point)) return null;
  if (fields === null || !reader.atEnd()) return null;
  const { type, signature, ...read } = fields;
  if (type !== SSH_CERT_TYPE_USER || read.validAfter >= read.validBefore) return null;
  if (!isCaKeyWithSignature(read.caKey, signature)) return null;
  return { point, ...read };
}

/** The CA key is a plain key, no certificate, and the signature's algorithm is one of its type. */
function isCaKeyWithSignature(caKey: Uint8Array, signature: Uint8Array): boolean {
  const keyReader = wireReader(caKey);
  const keyType = keyReader.text();
  const keyRest = keyReader.string();
  const signatureReader = wireReader(signature);
  const algorithm = signatureReader.text();
  const value = signatureReader.string();
  if (keyType === null || keyRest === null || algorithm === null || value === null) return false;
  if (!/^[!-~]+$/.test(keyType) || keyType.includes('-cert-v')) return false;
  if (keyType.startsWith('sk-')) {
    // PROTOCOL.u2f: flags and counter follow the signature.
    if (signatureReader.byte() === null || signatureReader.uint32() === null) return false;
  }
  if (!signatureReader.atEnd()) return false;
  return keyType === 'ssh-rsa' ? /^rsa-sha2-(256|512)$/.test(algorithm) : algorithm === keyType;
}
