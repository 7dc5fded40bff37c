/** Public keys of every type whose signatures can be checked here, read strictly. */
import { Buffer } from 'node:buffer';
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { ECDSA_SHA2_NISTP256, NISTP256, SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import {
  ECDSA_SHA2_NISTP384,
  ECDSA_SHA2_NISTP521,
  SK_SSH_ED25519,
  SSH_ED25519,
  SSH_RSA,
} from '../wire/protocol.ts';
import { encodeMpint, encodeString } from '../wire/ssh-wire.ts';
import { wireReader, type WireReader } from '../wire/wire-reader.ts';

/** A key that is no certificate. */
export interface PlainKey {
  keyType: string;
  /** A copy: the only form that this key has as a blob. */
  keyBlob: Buffer;
  publicKey: KeyObject;
  /** What a security key was enrolled for (PROTOCOL.u2f); `null` for every other type. */
  application: Uint8Array | null;
}

/** RFC 5656 §6.2.1, §10.1. `size`: bytes of a coordinate, and of the order. */
export interface Curve {
  name: string;
  jwk: string;
  size: number;
  hash: string;
}

const p256: Curve = { name: NISTP256, jwk: 'P-256', size: 32, hash: 'sha256' };

/** By key type. */
export const curves: ReadonlyMap<string, Curve> = new Map([
  [ECDSA_SHA2_NISTP256, p256],
  [ECDSA_SHA2_NISTP384, { name: 'nistp384', jwk: 'P-384', size: 48, hash: 'sha384' }],
  [ECDSA_SHA2_NISTP521, { name: 'nistp521', jwk: 'P-521', size: 66, hash: 'sha512' }],
  [SK_ECDSA_SHA2_NISTP256, p256],
]);

const plainKeyTypes: ReadonlySet<string> = new Set([
  SSH_ED25519,
  SSH_RSA,
  SK_SSH_ED25519,
  ...curves.keys(),
]);

/** Below this, a signature proves too little. */
const shortestModulus = 2048;

/** OpenSSH `SSHBUF_MAX_BIGNUM` (sshbuf.h), in bits. */
const longestModulus = 16_384;

/** What OpenSSL allows with a modulus of more than 3072 bits. */
const longestExponent = 64;

const uncompressed = 0x04;

/** Whether keys of this type can be checked here. False for a certificate's type. */
export function isPlainKeyType(keyType: string): boolean {
  return plainKeyTypes.has(keyType);
}

/** `null` unless `blob` is wholly one key of a type that can be checked here. */
export function readPlainKey(blob: Uint8Array): PlainKey | null {
  const reader = wireReader(blob);
  const keyType = reader.text();
  const key = keyType === null ? null : readKeyFields(keyType, reader);
  return reader.atEnd() ? key : null;
}

/**
 * Reads what follows the type's name in a key blob, or the nonce in a certificate: the same fields
 * (PROTOCOL.certkeys). `null` when they are not such a key: a point that is not on the curve, an
 * RSA modulus of fewer than 2048 bits, an exponent that is even or below 3.
 */
export function readKeyFields(keyType: string, reader: WireReader): PlainKey | null {
  switch (keyType) {
    case SSH_ED25519:
    case SK_SSH_ED25519:
      return readEd25519(keyType, reader);
    case SSH_RSA:
      return readRsa(reader);
    default: {
      const curve = curves.get(keyType);
      return curve === undefined ? null : readEcdsa(keyType, curve, reader);
    }
  }
}

/** RFC 8709 §4. */
function readEd25519(keyType: string, reader: WireReader): PlainKey | null {
  const x = reader.string();
  if (x === null || x.length !== 32) return null;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: base64url(x) };
  return withApplication(keyType, jwk, [encodeString(x)], reader);
}

/** RFC 5656 §3.1; points only uncompressed. */
function readEcdsa(keyType: string, curve: Curve, reader: WireReader): PlainKey | null {
  const name = reader.text();
  const point = reader.string();
  if (name !== curve.name || point === null) return null;
  if (point.length !== 1 + 2 * curve.size || point[0] !== uncompressed) return null;
  const x = point.subarray(1, 1 + curve.size);
  const y = point.subarray(1 + curve.size);
  const jwk = { kty: 'EC', crv: curve.jwk, x: base64url(x), y: base64url(y) };
  return withApplication(keyType, jwk, [encodeString(name), encodeString(point)], reader);
}

/** RFC 4253 §6.6. */
function readRsa(reader: WireReader): PlainKey | null {
  const exponent = reader.mpint();
  const modulus = reader.mpint();
  if (exponent === null || modulus === null) return null;
  const bits = bitLength(modulus);
  if (bits < shortestModulus || bits > longestModulus || !isOdd(modulus)) return null;
  if (bitLength(exponent) < 2 || bitLength(exponent) > longestExponent || !isOdd(exponent)) {
    return null;
  }
  const jwk = { kty: 'RSA', e: base64url(exponent), n: base64url(modulus) };
  return withApplication(SSH_RSA, jwk, [encodeMpint(exponent), encodeMpint(modulus)], reader);
}

function withApplication(
  keyType: string,
  jwk: JsonWebKey,
  fields: Buffer[],
  reader: WireReader,
): PlainKey | null {
  const isSecurityKey = keyType === SK_SSH_ED25519 || keyType === SK_ECDSA_SHA2_NISTP256;
  const application = isSecurityKey ? reader.string() : null;
  if (isSecurityKey && application === null) return null;
  const last = application === null ? [] : [encodeString(application)];
  const publicKey = importKey(jwk);
  return (
    publicKey && {
      keyType,
      keyBlob: Buffer.concat([encodeString(keyType), ...fields, ...last]),
      publicKey,
      application: application && Buffer.from(application),
    }
  );
}

function importKey(key: JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return null;
  }
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

const isOdd = (magnitude: Uint8Array) => ((magnitude.at(-1) ?? 0) & 1) === 1;

/** Of a magnitude without leading zeros, as `WireReader.mpint` gives it. */
function bitLength(magnitude: Uint8Array): number {
  return magnitude.length === 0 ? 0 : 8 * magnitude.length + 24 - Math.clz32(magnitude[0] ?? 0);
}
