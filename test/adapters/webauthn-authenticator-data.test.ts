import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAuthenticatorData } from '../../adapters/webauthn/authenticator-data.ts';
import { readCbor } from '../../adapters/webauthn/cbor.ts';
import { passkeyBlob, readCoseKey } from '../../adapters/webauthn/cose-key.ts';
import { readRegistration } from '../../adapters/webauthn/registration.ts';
import { cborMap, createAuthenticator } from '../support/authenticator.ts';
import { authenticator, challenge, flipped, longer, truncations } from './webauthn-examples.ts';

const { rpId, origin, point, credentialId, blob } = authenticator;
const rpIdHash = createHash('sha256').update(rpId).digest();
const [x, y] = [point.subarray(1, 33), point.subarray(33)];
const coseKey = cborMap([1, 2], [3, -7], [-1, 1], [-2, x], [-3, y]);
const secret = cborMap(['hmac-secret', true]);

/** Made by hand; `flags` say what follows. */
const dataOf = (flags: number, ...rest: Buffer[]) =>
  Buffer.concat([rpIdHash, Buffer.of(flags), Buffer.of(0, 0, 1, 2), ...rest]);
const attested = Buffer.concat([Buffer.alloc(16, 7), Buffer.of(0, 32), credentialId, coseKey]);

describe('authenticator data', () => {
  test('of a signature has the relying party, the flags and the counter', () => {
    expect(readAuthenticatorData(dataOf(0x05))).toEqual({
      rpIdHash,
      flags: 0x05,
      userPresent: true,
      userVerified: true,
      backupEligible: false,
      backedUp: false,
      counter: 258,
      credential: null,
      extensions: Buffer.of(),
    });
  });

  test.each([
    [0x00, {}],
    [0x01, { userPresent: true }],
    [0x04, { userVerified: true }],
    [0x08, { backupEligible: true }],
    [0x18, { backupEligible: true, backedUp: true }],
    [0x22, {}],
  ])('with flags %i says just that', (flags, said) => {
    expect(readAuthenticatorData(dataOf(flags))).toMatchObject({
      userPresent: false,
      userVerified: false,
      backupEligible: false,
      backedUp: false,
      ...said,
    });
  });

  test('of a new credential has its id and its point, and extensions after them', () => {
    const credential = { aaguid: Buffer.alloc(16, 7), id: credentialId, point };
    const read = readAuthenticatorData(dataOf(0x45, attested));
    expect(read).toMatchObject({ credential, extensions: Buffer.of() });
    expect(readAuthenticatorData(dataOf(0xc5, attested, secret))).toMatchObject({
      credential,
      extensions: secret,
    });
  });

  test('may have a credential id of 1023 bytes', () => {
    const id = Buffer.alloc(1023, 9);
    const data = dataOf(0x45, Buffer.alloc(16), Buffer.of(3, 255), id, coseKey);
    expect(readAuthenticatorData(data)?.credential).toMatchObject({ id, point });
  });

  test.each([
    ['a copy of a passkey that cannot be copied', dataOf(0x15)],
    ['extensions that are not announced', dataOf(0x05, secret)],
    ['extensions that are not there', dataOf(0x85)],
    ['extensions that are no map', dataOf(0x85, Buffer.of(0x80))],
    ['an extension without a name', dataOf(0x85, cborMap([1, true]))],
    ['two maps of extensions', dataOf(0x85, secret, secret)],
    ['a credential that is not announced', dataOf(0x05, attested)],
    ['a credential without an id', dataOf(0x45, Buffer.alloc(16), Buffer.of(0, 0), coseKey)],
    [
      'a credential id of 1024 bytes',
      dataOf(0x45, Buffer.alloc(16), Buffer.of(4, 0), Buffer.alloc(1024), coseKey),
    ],
  ])('with %s is refused', (_what, data) => {
    expect(readAuthenticatorData(data)).toBeNull();
  });

  test('is refused with anything cut off or added', () => {
    for (const data of [dataOf(0x05), dataOf(0x85, secret), dataOf(0xc5, attested, secret)]) {
      expect(readAuthenticatorData(data)).not.toBeNull();
      for (const cut of truncations(data)) expect(readAuthenticatorData(cut)).toBeNull();
      expect(readAuthenticatorData(longer(data))).toBeNull();
    }
  });

  test('never makes the reader throw, whatever it is or is changed into', () => {
    const good = dataOf(0xc5, attested, secret);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, mask) => {
          readAuthenticatorData(bytes);
          readAuthenticatorData(Buffer.concat([good.subarray(0, at), bytes]));
          const changed = readAuthenticatorData(flipped(good, at, mask));
          // A point that is another one is off the curve.
          if (changed?.credential) expect(changed.credential.point).toEqual(point);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

const readKey = (bytes: Buffer) => {
  const value = readCbor(bytes, 0);
  return value && readCoseKey(value.value);
};

describe('a COSE key', () => {
  test('is its point', () => {
    expect(readKey(coseKey)).toEqual(point);
    expect(passkeyBlob(point, rpId)).toEqual(blob);
    expect(() => passkeyBlob(point, 'ssh:')).toThrow(TypeError);
  });

  const off = Buffer.from(x);
  off[31] = (off[31] ?? 0) ^ 1;
  test.each([
    ['of another type', cborMap([1, 1], [3, -7], [-1, 1], [-2, x], [-3, y])],
    ['of another algorithm', cborMap([1, 2], [3, -8], [-1, 1], [-2, x], [-3, y])],
    ['on another curve', cborMap([1, 2], [3, -7], [-1, 2], [-2, x], [-3, y])],
    ['with a short coordinate', cborMap([1, 2], [3, -7], [-1, 1], [-2, x.subarray(1)], [-3, y])],
    ['with only the sign of y', cborMap([1, 2], [3, -7], [-1, 1], [-2, x], [-3, true])],
    ['without y', cborMap([1, 2], [3, -7], [-1, 1], [-2, x])],
    ['with one member more', cborMap([1, 2], [3, -7], [-1, 1], [-2, x], [-3, y], [-4, x])],
    ['off the curve', cborMap([1, 2], [3, -7], [-1, 1], [-2, off], [-3, y])],
    ['that is no map', Buffer.of(0x80)],
  ])('%s is refused', (_what, bytes) => {
    expect(readKey(bytes)).toBeNull();
  });
});

describe('a new passkey', () => {
  const expected = { challenge, rpId, origin };
  const registration = authenticator.create(challenge);

  test.each([
    ['that stays on its device', {}, false],
    ['that can be copied', { synced: true }, true],
  ])('%s has its id and its SSH key', (_what, options, isSyncable) => {
    const one = createAuthenticator({ rpId, origin, ...options });
    expect(readRegistration(one.create(challenge), expected)).toEqual({
      ok: true,
      credentialId: one.credentialId,
      publicKey: one.blob,
      aaguid: Buffer.alloc(16),
      isSyncable,
    });
  });

  test.each([
    ['otherType', authenticator.create(challenge, { type: 'webauthn.get' })],
    ['otherChallenge', authenticator.create(Buffer.from('other'))],
    ['otherOrigin', authenticator.create(challenge, { origin: 'https://evil.example' })],
    ['crossOrigin', authenticator.create(challenge, { crossOrigin: true })],
    ['otherRelyingParty', authenticator.create(challenge, { rpId: 'evil.example' })],
    ['userNotVerified', authenticator.create(challenge, { userVerified: false })],
    ['userNotVerified', authenticator.create(challenge, { userPresent: false })],
    ['noCredential', authenticator.create(challenge, { attested: false })],
    ['clientDataMalformed', { ...registration, clientDataJSON: Buffer.of(0xff) }],
    ['authenticatorDataMalformed', { ...registration, authenticatorData: Buffer.alloc(36) }],
  ])('is refused: %s', (why, made) => {
    expect(readRegistration(made, expected)).toEqual({ ok: false, why });
  });

  test('is refused for a page that is not of the relying party', () => {
    const elsewhere = { ...expected, origin: 'https://evil.example' };
    const why = 'originNotOfRelyingParty';
    expect(readRegistration(registration, elsewhere)).toEqual({ ok: false, why });
  });
});
