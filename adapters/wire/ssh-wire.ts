/** Writing the SSH wire encoding (RFC 4251 §5) into Node's buffers. */
import { Buffer } from 'node:buffer';
import { wireMpint, wireString, wireUint32 } from './wire-writer.ts';

export function encodeUint32(value: number): Buffer {
  return asBuffer(wireUint32(value));
}

/** `string`: text goes out as UTF-8. */
export function encodeString(value: Uint8Array | string): Buffer {
  return asBuffer(wireString(value));
}

/** `mpint` of a non-negative number given as its big-endian magnitude, leading zeros allowed. */
export function encodeMpint(magnitude: Uint8Array): Buffer {
  return asBuffer(wireMpint(magnitude));
}

const asBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as Buffer;
