import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { SK_ECDSA_SHA2_NISTP256, WEBAUTHN_SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import { wireReader } from '../wire/wire-reader.ts';

/** A `string` of RFC 4251 §5 at `offset`, or `null` when it is not wholly there. */
function stringAt(bytes: Buffer, offset: number): { value: Buffer; end: number } | null {
  if (bytes.length - offset < 4) return null;
  const start = offset + 4;
  const end = start + bytes.readUInt32BE(offset);
  return end > bytes.length ? null : { value: bytes.subarray(start, end), end };
}

/** `SHA256:…` of a key blob (RFC 4253 §6.6), as `ssh-keygen -l` prints it. */
export function fingerprintOf(keyBlob: Buffer): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/** The key type that a key blob (RFC 4253 §6.6) begins with, or `null`. */
export function keyTypeOf(keyBlob: Buffer): string | null {
  const type = stringAt(keyBlob, 0);
  if (type === null || type.value.length === 0 || type.value.length > 64) return null;
  const name = type.value.toString('latin1');
  return /^[\x21-\x7e]+$/.test(name) ? name : null;
}

/**
 * Whether a signature blob has the form that a key of this type gives: anything shorter, longer or
 * of another algorithm is not to be sent. Nothing is verified.
 */
export function isSignatureOf(keyType: string, signatureBlob: Buffer): boolean {
  if (keyType !== SK_ECDSA_SHA2_NISTP256) return ecdsaSignatureIn(signatureBlob, keyType) !== null;
  // OpenSSH PROTOCOL.u2f: flags, counter, origin, client data and extensions follow the signature.
  const reader = wireReader(signatureBlob);
  const algorithm = reader.text();
  const parts = [reader.string(), reader.byte(), reader.uint32()];
  const texts = [reader.text(), reader.text(), reader.string()];
  const isWhole = reader.atEnd() && [...parts, ...texts].every((part) => part !== null);
  return isWhole && algorithm === WEBAUTHN_SK_ECDSA_SHA2_NISTP256;
}

/**
 * The inner part of an ECDSA signature blob, `mpint r, mpint s` (RFC 5656 §3.1.2). A view on `signatureBlob`. `null` when the blob is of another algorithm or
 * anything but exactly that.
 */
export function ecdsaSignatureIn(signatureBlob: Buffer, algorithm: string): Buffer | null {
  const name = stringAt(signatureBlob, 0);
  if (name === null || name.value.toString('latin1') !== algorithm) return null;
  const inner = stringAt(signatureBlob, name.end);
  if (inner === null || inner.end !== signatureBlob.length) return null;
  const r = stringAt(inner.value, 0);
  if (r === null || r.value.length === 0) return null;
  const s = stringAt(inner.value, r.end);
  if (s === null || s.value.length === 0 || s.end !== inner.value.length) return null;
  return inner.value;
}
