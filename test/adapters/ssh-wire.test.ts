import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMpint, encodeString, encodeUint32 } from '../../adapters/wire/ssh-wire.ts';
import { wireReader } from '../../adapters/wire/wire-reader.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** RFC 4251 §5, the non-negative examples of `mpint`. */
const mpints = [
  { magnitude: '', wire: '00 00 00 00' },
  { magnitude: '09a378f9b2e332a7', wire: '00 00 00 08 09 a3 78 f9 b2 e3 32 a7' },
  { magnitude: '80', wire: '00 00 00 02 00 80' },
];

describe('the SSH wire encoding', () => {
  test.each(mpints)('mpint $wire is read and written as in RFC 4251', ({ magnitude, wire }) => {
    expect(encodeMpint(hex(magnitude))).toEqual(hex(wire));
    expect(encodeMpint(hex(`0000${magnitude}`))).toEqual(hex(wire));
    const reader = wireReader(hex(wire));
    expect(Buffer.from(reader.mpint() ?? [255])).toEqual(hex(magnitude));
    expect(reader.atEnd()).toBe(true);
  });

  test.each([
    ['a negative number', '00 00 00 02 ed cc'],
    ['a needless leading zero', '00 00 00 02 00 7f'],
    ['zero written as a byte', '00 00 00 01 00'],
  ])('mpint refuses %s', (_what, wire) => {
    expect(wireReader(hex(wire)).mpint()).toBeNull();
  });

  test('a boolean other than 0 or 1 is refused', () => {
    expect(wireReader(Buffer.of(0)).boolean()).toBe(false);
    expect(wireReader(Buffer.of(1)).boolean()).toBe(true);
    expect(wireReader(Buffer.of(2)).boolean()).toBeNull();
  });

  test('text must be well-formed UTF-8, and a byte order mark in it is kept', () => {
    expect(wireReader(encodeString('Zoë')).text()).toBe('Zoë');
    expect(wireReader(encodeString('\u{FEFF}x')).text()).toBe('\u{FEFF}x');
    for (const wrong of ['ff', 'c080', 'eda080', 'f4908080', 'e282']) {
      expect(wireReader(encodeString(hex(wrong))).text()).toBeNull();
    }
  });

  test('after one value that is not there, nothing more is read', () => {
    const reader = wireReader(Buffer.concat([encodeUint32(5), Buffer.from('abcd')]));
    expect(reader.string()).toBeNull();
    expect(reader.byte()).toBeNull();
    expect(reader.raw(0)).toBeNull();
    expect(reader.atEnd()).toBe(false);
  });

  test('a length beyond the end is refused, whatever it claims', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(0xffffffff), (bytes, length) => {
        const read = wireReader(Buffer.concat([encodeUint32(length), bytes])).string();
        expect(read).toEqual(
          length <= bytes.length ? Buffer.from(bytes.subarray(0, length)) : null,
        );
      }),
    );
  });

  test('a view into a larger buffer reads its own bytes only', () => {
    const whole = Buffer.concat([Buffer.of(9, 9), encodeString('ab'), Buffer.of(9)]);
    const reader = wireReader(whole.subarray(2, 8));
    expect(reader.text()).toBe('ab');
    expect(reader.atEnd()).toBe(true);
  });

  test('uint32 and uint64 are big-endian and unsigned', () => {
    const reader = wireReader(hex('ff ff ff fe ff ff ff ff ff ff ff fd'));
    expect(reader.uint32()).toBe(0xfffffffe);
    expect(reader.uint64()).toBe(0xfffffffffffffffdn);
    expect(reader.uint32()).toBeNull();
  });
});
