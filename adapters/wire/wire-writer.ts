/** Writing the SSH wire encoding (RFC 4251 §5), in a program and in a page. */

const utf8 = new TextEncoder();

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function wireUint32(value: number): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new RangeError('no uint32');
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** `string`: text goes out as UTF-8. */
export function wireString(value: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'string' ? utf8.encode(value) : value;
  return concatBytes(wireUint32(bytes.length), bytes);
}

/** `mpint` of a non-negative number given as its big-endian magnitude, leading zeros allowed. */
export function wireMpint(magnitude: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = magnitude.findIndex((byte) => byte !== 0);
  if (start === -1) return wireUint32(0);
  const shortest = magnitude.subarray(start);
  const needsSign = (shortest[0] ?? 0) >= 0x80;
  return wireString(needsSign ? concatBytes(Uint8Array.of(0), shortest) : shortest);
}
