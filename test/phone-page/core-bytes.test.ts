import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint as nodeFingerprint } from '../../adapters/keys/public-key.ts';
import { fingerprint, fromBase64url, toBase64url } from '../../app/phone/page/core/bytes.ts';

describe('bytes in the page', () => {
  test('are written as Node writes them, and read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64url(toBase64url(bytes))).toEqual(Uint8Array.from(bytes));
      }),
    );
    const many = new Uint8Array(100_000).fill(7);
    expect(fromBase64url(toBase64url(many))).toEqual(many);
  });

  test.each(['A', 'AA=', 'AA==', 'A A', 'AB', 'AAF', 'a+b_', 'a/bc', 'äöüß', 'AAAAA'])(
    'are not read from %j',
    (text) => {
      expect(fromBase64url(text)).toBeNull();
    },
  );

  test('have the fingerprint that signer gives them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (blob) => {
        expect(await fingerprint(blob)).toBe(nodeFingerprint(blob));
      }),
    );
  });
});
