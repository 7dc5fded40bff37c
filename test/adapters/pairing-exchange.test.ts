import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  commitmentHolds,
  commitmentTo,
  digitsOf,
  sameDigits,
} from '../../adapters/link/pairing/exchange.ts';

const meeting = {
  exporter: Buffer.alloc(32, 1),
  phoneNonce: Buffer.alloc(32, 2),
  headsetNonce: Buffer.alloc(32, 3),
  phonePin: 'p'.repeat(43),
  headsetPin: 'h'.repeat(43),
};

test('digits are six, and the same for the same meeting', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (exporter) => {
      const digits = digitsOf({ ...meeting, exporter });
      expect(digits).toMatch(/^[0-9]{6}$/);
      expect(digitsOf({ ...meeting, exporter })).toBe(digits);
    }),
    { numRuns: 100 },
  );
});

test('each thing that the digits bind changes them', () => {
  const changed = [
    { exporter: Buffer.alloc(32, 9) },
    { phoneNonce: Buffer.alloc(32, 9) },
    { headsetNonce: Buffer.alloc(32, 9) },
    { phonePin: 'x'.repeat(43) },
    { headsetPin: 'x'.repeat(43) },
    // Roles are bound too.
    { phoneNonce: meeting.headsetNonce, headsetNonce: meeting.phoneNonce },
    { phonePin: meeting.headsetPin, headsetPin: meeting.phonePin },
    // And where one part ends and the next begins.
    { phonePin: `${meeting.phonePin}h`, headsetPin: meeting.headsetPin.slice(1) },
  ].map((change) => digitsOf({ ...meeting, ...change }));
  expect(new Set([digitsOf(meeting), ...changed]).size).toBe(changed.length + 1);
});

test('a commitment holds for its own nonce only', () => {
  const { phoneNonce, headsetNonce } = meeting;
  expect(commitmentHolds(commitmentTo(phoneNonce), phoneNonce)).toBe(true);
  expect(commitmentHolds(commitmentTo(phoneNonce), headsetNonce)).toBe(false);
  expect(commitmentHolds(commitmentTo(phoneNonce).subarray(1), phoneNonce)).toBe(false);
  expect(commitmentTo(phoneNonce)).not.toEqual(createHash('sha256').update(phoneNonce).digest());
});

test('digits are compared whole', () => {
  expect(sameDigits('012345', '012345')).toBe(true);
  expect(sameDigits('012345', '012346')).toBe(false);
  expect(sameDigits('12345', '012345')).toBe(false);
});
