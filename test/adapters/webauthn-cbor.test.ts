import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCbor, type CborValue } from '../../adapters/webauthn/cbor.ts';
import { cbor, cborHead, cborMap } from '../support/authenticator.ts';
import { longer, truncations } from './webauthn-examples.ts';

const read = (hex: string) => readCbor(Buffer.from(hex, 'hex'), 0);

describe('CBOR', () => {
  // The examples of RFC 8949, Appendix A, that authenticators may write.
  test.each<[hex: string, value: CborValue]>([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['18ff', 255],
    ['190100', 256],
    ['19ffff', 65_535],
    ['1a00010000', 65_536],
    ['1affffffff', 2 ** 32 - 1],
    ['1b0000000100000000', 2 ** 32],
    ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['20', -1],
    ['3863', -100],
    ['3903e7', -1000],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['40', Buffer.of()],
    ['4401020304', Buffer.of(1, 2, 3, 4)],
    ['60', ''],
    ['62c3bc', 'ü'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    ['a0', new Map()],
    ['a201020304', new Map([[1, 2]]).set(3, 4)],
  ])('%s is %j', (hex, value) => {
    expect(read(hex)).toEqual({ value, end: hex.length / 2 });
  });

  test.each([
    ['a number in one byte more than it needs', '1817'],
    ['a number in two bytes that one could hold', '1900ff'],
    ['a number in four bytes that two could hold', '1a0000ffff'],
    ['a number in eight bytes that four could hold', '1b00000000ffffffff'],
    ['a number beyond 2^53', '1b0020000000000000'],
    ['a length that is written too long', '5800'],
    ['bytes of indefinite length', '5f4101ff'],
    ['an array of indefinite length', '9f01ff'],
    ['a map of indefinite length', 'bf0102ff'],
    ['a reserved length', '1c'],
    ['a tag', 'c001'],
    ['a floating-point number', 'f93c00'],
    ['undefined', 'f7'],
    ['another simple value', 'e0'],
    ['a simple value of two bytes', 'f814'],
    ['a break', 'ff'],
    ['text that is not UTF-8', '61ff'],
    ['a map with a key twice', 'a201020103'],
    ['a map whose keys are out of order', 'a203040102'],
    ['a map with a longer key first', 'a21818000000'],
    ['a map with text before numbers', 'a26161010102'],
    ['a map whose key is an array', 'a18001'],
    ['a map whose key is true', 'a1f501'],
    ['five arrays inside each other', '8181818180'],
    ['five maps inside each other', 'a101a101a101a101a0'],
  ])('%s is refused', (_what, hex) => {
    expect(read(hex)).toBeNull();
  });

  test('four arrays, or four maps, inside each other are read', () => {
    expect(read('81818180')).toEqual({ value: [[[[]]]], end: 4 });
    expect(read('a101a101a101a0')?.end).toBe(7);
  });

  test('the order of keys is by type, by length, then by bytes', () => {
    const keys = [3, 24, 256, -1, -100, 'b', 'aa', 'ab'];
    const entries = keys.map((key) => [key, true] as const);
    const value = new Map<number | string, boolean>(entries);
    expect(readCbor(cborMap(...entries), 0)?.value).toEqual(value);
    for (let i = 1; i < entries.length; i += 1) {
      const swapped = entries.with(i - 1, entries[i]!).with(i, entries[i - 1]!);
      expect(readCbor(cborMap(...swapped), 0)).toBeNull();
    }
  });

  test('reads from where it is told, and says where the value ends', () => {
    const bytes = Buffer.concat([Buffer.of(0xff, 0xff), cbor('text'), Buffer.of(0xff)]);
    expect(readCbor(bytes, 2)).toEqual({ value: 'text', end: 7 });
    expect(readCbor(bytes, bytes.length)).toBeNull();
  });

  test('every truncation is refused', () => {
    const bytes = cborMap(
      [1, [1000, -1000, [true]]],
      [2, Buffer.alloc(30)],
      ['name', 'x'.repeat(30)],
    );
    expect(readCbor(bytes, 0)?.end).toBe(bytes.length);
    expect(readCbor(longer(bytes), 0)?.end).toBe(bytes.length);
    for (const cut of truncations(bytes)) expect(readCbor(cut, 0)).toBeNull();
  });

  test.each([2, 3, 4, 5])('of major type %i, four billion items are not waited for', (major) => {
    const claimed = Buffer.concat([cborHead(major, 2 ** 32 - 1), Buffer.alloc(8)]);
    expect(readCbor(claimed, 0)).toBeNull();
  });

  test('whatever bytes it is given, it never throws, and what it reads has one form only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const value = readCbor(bytes, 0);
        if (value === null) return;
        expect(written(value.value)).toEqual(Buffer.from(bytes.subarray(0, value.end)));
      }),
      { numRuns: 5_000 },
    );
  });

  test('what is written is read', () => {
    const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.array(tie('value'), { maxLength: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (one) => {
        const bytes = written(one);
        expect(readCbor(bytes, 0)).toEqual({ value: one, end: bytes.length });
      }),
    );
  });
});

/** What the support's writer leaves out: nothing, maps that were read, and numbers of eight bytes. */
function written(value: CborValue): Buffer {
  if (value === null) return Buffer.of(0xf6);
  if (value instanceof Map) {
    const entries = [...value].flatMap(([key, one]) => [written(key), written(one)]);
    return Buffer.concat([cborHead(5, value.size), ...entries]);
  }
  if (Array.isArray(value)) {
    return Buffer.concat([cborHead(4, value.length), ...value.map(written)]);
  }
  const argument = typeof value === 'number' ? (value < 0 ? -1 - value : value) : 0;
  if (argument < 2 ** 32) return cbor(value as Parameters<typeof cbor>[0]);
  const bytes = Buffer.alloc(9, (value as number) < 0 ? 0x3b : 0x1b);
  bytes.writeBigUInt64BE(BigInt(argument), 1);
  return bytes;
}
