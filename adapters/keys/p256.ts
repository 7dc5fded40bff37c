/** P-256 private keys and ECDSA signatures as SSH has them (RFC 5656 §3.1.2). */
import { Buffer } from 'node:buffer';
import { createECDH, createPrivateKey, sign, verify } from 'node:crypto';
import { curves } from './plain-key.ts';
import { readRs } from './plain-signature.ts';
import { pointOf, publicKeyBlob, readPublicKey } from './public-key.ts';
import { ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import { encodeMpint, encodeString } from '../wire/ssh-wire.ts';
import { wireReader } from '../wire/wire-reader.ts';

/** `scalar`: 32 bytes, big-endian; whoever holds it fills it with zeros when done. */
export interface P256Key {
  scalar: Buffer;
  /** The SSH key blob. */
  publicKey: Buffer;
}

export const scalarLength = 32;

/** PKCS#8 around SEC 1's ECPrivateKey for prime256v1 (RFC 5208 §5, RFC 5915 §3). */
const pkcs8BeforeScalar = Buffer.from(
  '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420',
  'hex',
);
const pkcs8BeforePoint = Buffer.from('a144034200', 'hex');

/**
 * A new key from OpenSSL's generator. OpenSSL's own copy of the scalar lives until the garbage
 * collector frees the ECDH object, which clears it.
 */
export function generateP256Key(): P256Key {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  const shortest = ecdh.getPrivateKey();
  const scalar = Buffer.alloc(scalarLength);
  shortest.copy(scalar, scalarLength - shortest.length);
  shortest.fill(0);
  return { scalar, publicKey: publicKeyBlob(ecdh.getPublicKey()) };
}

/**
 * The signature blob over `data`: `string "ecdsa-sha2-nistp256", string (mpint r, mpint s)`.
 *
 * The scalar is copied once into a DER buffer, which is zeroed before this returns, and once by
 * OpenSSL into memory that JavaScript cannot reach: freed, and cleared by OpenSSL, when the key
 * object is garbage-collected. Throws when `key` is not a P-256 key.
 */
export function signWithP256(key: P256Key, data: Uint8Array): Buffer {
  const point = pointOf(key.publicKey);
  if (point === null || key.scalar.length !== scalarLength) throw new TypeError('not a P-256 key');
  const der = Buffer.alloc(
    pkcs8BeforeScalar.length + scalarLength + pkcs8BeforePoint.length + point.length,
  );
  try {
    let at = pkcs8BeforeScalar.copy(der);
    at += key.scalar.copy(der, at);
    at += pkcs8BeforePoint.copy(der, at);
    der.set(point, at);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const rs = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return encodeSignature(rs);
  } finally {
    der.fill(0);
  }
}

function encodeSignature(rs: Buffer): Buffer {
  const r = encodeMpint(rs.subarray(0, scalarLength));
  const s = encodeMpint(rs.subarray(scalarLength));
  return Buffer.concat([encodeString(ECDSA_SHA2_NISTP256), encodeString(Buffer.concat([r, s]))]);
}

/**
 * Whether `signatureBlob` is this key's signature over `data`. Strict: both blobs in their only
 * form, nothing after them, the point on the curve. False for anything else; never throws.
 */
export function verifySignature(
  publicKey: Uint8Array,
  data: Uint8Array,
  signatureBlob: Uint8Array,
): boolean {
  const key = readPublicKey(publicKey);
  const rs = readSignature(signatureBlob);
  if (key === null || rs === null) return false;
  return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, rs);
}

function readSignature(blob: Uint8Array): Buffer | null {
  const curve = curves.get(ECDSA_SHA2_NISTP256);
  if (curve === undefined) return null;
  const outer = wireReader(blob);
  if (outer.text() !== ECDSA_SHA2_NISTP256) return null;
  const value = outer.string();
  if (value === null || !outer.atEnd()) return null;
  return readRs(value, curve);
}
