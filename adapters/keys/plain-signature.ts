/** SSH signature blobs of every key type that can be checked here, verified strictly. */
import { Buffer } from 'node:buffer';
import { createHash, verify } from 'node:crypto';
import { curves, type Curve, type PlainKey } from './plain-key.ts';
import { RSA_SHA2_256, RSA_SHA2_512, SSH_SK_USER_PRESENCE_REQD } from './protocol.ts';
import { SSH_RSA } from '../wire/protocol.ts';
import { encodeUint32 } from '../wire/ssh-wire.ts';
import { wireReader } from '../wire/wire-reader.ts';

/** RFC 8332 §3. */
const rsaHashes: ReadonlyMap<string, string> = new Map([
  [RSA_SHA2_256, 'sha256'],
  [RSA_SHA2_512, 'sha512'],
]);

/**
 * Whether `signature` is this key's over `data`: its algorithm one of the key's type, every length
 * the only possible one, nothing after the end. A security key must have asked for a touch. Never
 * throws.
 */
export function verifyPlainSignature(
  key: PlainKey,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const reader = wireReader(signature);
  const algorithm = reader.text();
  const value = reader.string();
  if (algorithm === null || value === null) return false;
  let signed = data;
  if (key.application !== null) {
    const flags = reader.byte();
    const counter = reader.uint32();
    if (flags === null || counter === null) return false;
    if ((flags & SSH_SK_USER_PRESENCE_REQD) === 0) return false;
    signed = securityKeyData(key.application, flags, counter, data);
  }
  return reader.atEnd() && verifyValue(key, algorithm, signed, value);
}

/** What a security key signs in the place of `data` (PROTOCOL.u2f, "SSH U2F Signatures"). */
function securityKeyData(
  application: Uint8Array,
  flags: number,
  counter: number,
  data: Uint8Array,
): Buffer {
  return Buffer.concat([
    sha256(application),
    Buffer.of(flags),
    encodeUint32(counter),
    sha256(data),
  ]);
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function verifyValue(
  { keyType, publicKey }: PlainKey,
  algorithm: string,
  data: Uint8Array,
  value: Uint8Array,
): boolean {
  if (keyType === SSH_RSA) {
    const hash = rsaHashes.get(algorithm);
    // OpenSSL takes only a value as long as the modulus.
    return hash !== undefined && verify(hash, data, publicKey, value);
  }
  if (algorithm !== keyType) return false;
  const curve = curves.get(keyType);
  if (curve === undefined) return value.length === 64 && verify(null, data, publicKey, value);
  const rs = readRs(value, curve);
  if (rs === null) return false;
  return verify(curve.hash, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, rs);
}

/**
 * RFC 5656 §3.1.2: r and s as the whole of `value`, each padded to the curve's size for OpenSSL;
 * `null` for anything else.
 */
export function readRs(value: Uint8Array, { size }: Curve): Buffer | null {
  const reader = wireReader(value);
  const r = reader.mpint();
  const s = reader.mpint();
  if (r === null || s === null || !reader.atEnd()) return null;
  if (r.length > size || s.length > size) return null;
  const rs = Buffer.alloc(2 * size);
  rs.set(r, size - r.length);
  rs.set(s, 2 * size - s.length);
  return rs;
}
