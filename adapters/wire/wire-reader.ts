/**
 * Reading the SSH wire encoding (RFC 4251 §5), in a program and in a page. It never throws and never
 * trusts a length: a value that is not wholly there is `null`, and so is everything read after it.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `bytes` as text, or `null` when they are not well-formed UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Reads values off `bytes` from the front. The views it returns share memory with `bytes`.
 * Once a read has returned `null`, every later one does, and `atEnd()` is false.
 */
export interface WireReader {
  /** `count` raw bytes. */
  raw(count: number): Uint8Array | null;
  byte(): number | null;
  /** `boolean`: strictly 0 or 1, although RFC 4251 takes any non-zero value for true. */
  boolean(): boolean | null;
  uint32(): number | null;
  uint64(): bigint | null;
  string(): Uint8Array | null;
  /** A `string` that holds well-formed UTF-8. */
  text(): string | null;
  /**
   * A non-negative `mpint` in its only allowed form: no needless leading zero. Big-endian
   * magnitude without the sign byte; empty for zero.
   */
  mpint(): Uint8Array | null;
  /** Everything was read and nothing is left over. */
  atEnd(): boolean;
}

export function wireReader(bytes: Uint8Array): WireReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let broken = false;

  function fail(): null {
    broken = true;
    return null;
  }
  function raw(count: number): Uint8Array | null {
    if (broken || count > bytes.length - at) return fail();
    const value = bytes.subarray(at, at + count);
    at += count;
    return value;
  }
  function fixed<T>(size: number, get: (offset: number) => T): T | null {
    return raw(size) === null ? null : get(at - size);
  }
  function string(): Uint8Array | null {
    const length = fixed(4, (offset) => view.getUint32(offset));
    return length === null ? null : raw(length);
  }

  return {
    raw,
    byte: () => fixed(1, (offset) => view.getUint8(offset)),
    boolean() {
      const value = fixed(1, (offset) => view.getUint8(offset));
      if (value === null || value > 1) return fail();
      return value === 1;
    },
    uint32: () => fixed(4, (offset) => view.getUint32(offset)),
    uint64: () => fixed(8, (offset) => view.getBigUint64(offset)),
    string,
    text() {
      const value = string();
      return value === null ? null : (decodeUtf8(value) ?? fail());
    },
    mpint() {
      const value = string();
      if (value === null) return null;
      const [first, second] = value;
      if (first === undefined) return value;
      if (first >= 0x80) return fail();
      if (first > 0) return value;
      return second !== undefined && second >= 0x80 ? value.subarray(1) : fail();
    },
    atEnd: () => !broken && at === bytes.length,
  };
}
