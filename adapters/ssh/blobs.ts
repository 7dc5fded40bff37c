import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

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
 * The inner part of an ECDSA signature blob, `mpint r, mpint s` (RFC 5656 §3.1.2): the form in
 * which ssh2 takes it. A view on `signatureBlob`. `null` when the blob is of another algorithm or
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
