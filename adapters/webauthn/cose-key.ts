/** A passkey's public key: as an authenticator gives it, for verifying, and as SSH has it. */
import { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { NISTP256, SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import { isRpId } from '../wire/relying-party.ts';
import { encodeString } from '../wire/ssh-wire.ts';
import type { CborValue } from './cbor.ts';
import {
  ALG_ES256,
  COSE_ALG,
  COSE_CRV,
  COSE_KTY,
  COSE_X,
  COSE_Y,
  CRV_P256,
  KTY_EC2,
} from './protocol.ts';

const coordinate = 32;

/**
 * The point, 65 bytes `04 x y`, of an ES256 key (WebAuthn Level 2 §5.8.5): exactly its five members,
 * both coordinates whole, on the curve. `null` for every other value.
 */
export function readCoseKey(value: CborValue): Buffer | null {
  if (!(value instanceof Map) || value.size !== 5) return null;
  const [x, y]: unknown[] = [value.get(COSE_X), value.get(COSE_Y)];
  if (value.get(COSE_KTY) !== KTY_EC2 || value.get(COSE_ALG) !== ALG_ES256) return null;
  if (value.get(COSE_CRV) !== CRV_P256 || !isCoordinate(x) || !isCoordinate(y)) return null;
  const point = Buffer.concat([Buffer.of(0x04), x, y]);
  return verifyingKey(point) && point;
}

function isCoordinate(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === coordinate;
}

/** `point`: 65 bytes `04 x y`. `null` when it is not on the curve. */
export function verifyingKey(point: Uint8Array): KeyObject | null {
  const x = Buffer.from(point.subarray(1, 1 + coordinate)).toString('base64url');
  const y = Buffer.from(point.subarray(1 + coordinate)).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch {
    return null;
  }
}

/**
 * The SSH key blob (OpenSSH PROTOCOL.u2f): `string type, string curve, string Q, string application`
 * with the relying party's id for the application. Throws on what is no such id.
 */
export function passkeyBlob(point: Uint8Array, rpId: string): Buffer {
  if (!isRpId(rpId)) throw new TypeError('no relying party id');
  const fields = [SK_ECDSA_SHA2_NISTP256, NISTP256, point, rpId];
  return Buffer.concat(fields.map(encodeString));
}
