/** The device key of a browser: P-256, of which this machine knows the public half. */
import { Buffer } from 'node:buffer';
import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/** `publicKey`: raw point, 65 bytes. `signature`: r and s of 32 bytes each. Both base64url. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const key = keyAt(Buffer.from(publicKey, 'base64url'));
  const rs = Buffer.from(signature, 'base64url');
  if (key === null || rs.length !== 64) return false;
  return verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, rs);
}

/** `null` unless it is `04 x y` on the curve. */
function keyAt(point: Buffer): KeyObject | null {
  if (point.length !== 65 || point[0] !== 0x04) return null;
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch {
    return null;
  }
}
