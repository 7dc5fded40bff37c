import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDeviceIdentity, pinOf } from '../../adapters/link/certificate.ts';
import { encodeFrame } from '../../adapters/link/frames.ts';
import { sayableIdentities } from '../../adapters/link/identities.ts';
import { negotiate, readHeadsetMessage, readPhoneMessage } from '../../adapters/link/messages.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { anIdentity, signerHello, vmuxHello } from '../support/link-rig.ts';

const id = '8b0b6bd8-6a0c-4c47-9b02-6f4c6c8d3a10';
const sign = {
  t: 'sign',
  id,
  ttl: 9_750,
  queueTtl: 60_000,
  sheetTtl: 9_750,
  host: 'build.example',
  port: 22,
  user: 'ada',
  code: '42',
  fingerprint: anIdentity.fingerprint,
  data: 'AAEC',
  binds: [{ hostKey: 'AAEC', sessionId: 'AAEC', signature: 'AAEC', isForwarding: true }],
};
const result = { t: 'result', id, outcome: 'signed', signature: 'AAEC' };

const live = [{ t: 'ping' }, { t: 'pong' }, { t: 'bye', reason: 'unpaired' }];
const headsetOnly = [vmuxHello, sign, { t: 'withdraw', id }];
const phoneOnly = [
  signerHello,
  { t: 'identities', identities: [anIdentity] },
  { t: 'queued', id },
  { t: 'presented', id },
  { t: 'unseen', id },
  result,
  { t: 'result', id, outcome: 'denied', why: 'wrongPassphrase' },
  { t: 'result', id, outcome: 'expired' },
  { t: 'result', id, outcome: 'failed', reason: 'identityUnknown' },
];

test.each([...headsetOnly, ...live])('a headset may say %j', (message) => {
  expect(readHeadsetMessage(message)).toEqual(message);
});

test.each([...phoneOnly, ...live])('a phone may say %j', (message) => {
  expect(readPhoneMessage(message)).toEqual(message);
});

test('neither side may say what is the other’s to say', () => {
  expect(headsetOnly.map(readPhoneMessage)).toEqual(headsetOnly.map(() => null));
  expect(phoneOnly.map(readHeadsetMessage)).toEqual(phoneOnly.map(() => null));
});

test('an extra property, a missing one and one of another type are each refused', () => {
  for (const [read, messages] of [
    [readHeadsetMessage, [...headsetOnly, ...live]],
    [readPhoneMessage, [...phoneOnly, ...live]],
  ] as const) {
    for (const message of messages as readonly object[]) {
      expect(read({ ...message, extra: 1 })).toBeNull();
      expect(read(JSON.parse(JSON.stringify(message).replace('{', '{"__proto__":{},')))).toBeNull();
      for (const name of Object.keys(message)) {
        const { [name]: _, ...without } = message as Record<string, unknown>;
        expect(read(without)).toBeNull();
        expect(read({ ...message, [name]: { t: 1 } })).toBeNull();
        expect(read({ ...message, [name]: null })).toBeNull();
      }
    }
  }
});

describe.each([
  ['data in base64url', { data: '-_-_' }],
  ['data with white space', { data: 'AA EC' }],
  ['data without its padding', { data: 'AA' }],
  ['a code of one digit', { code: '4' }],
  ['a code that is no number', { code: '4x' }],
  ['a port that is none', { port: 65_536 }],
  ['more binds than an agent keeps', { binds: Array(17).fill(sign.binds[0]) }],
  ['a bind with one property more', { binds: [{ ...sign.binds[0], name: 'web' }] }],
  ['data whose padding bits are set', { data: 'AB==' }],
  ['empty data', { data: '' }],
  ['an upper-case id', { id: id.toUpperCase() }],
  ['an id that is a path', { id: '../../etc' }],
  ['a fingerprint of another hash', { fingerprint: 'MD5:00' }],
  ['a host that is too long', { host: 'x'.repeat(256) }],
  ['a lone surrogate', { user: '\ud800' }],
  ['no time', { ttl: 0 }],
  ['negative time', { queueTtl: -1 }],
  ['broken time', { sheetTtl: 1.5 }],
])('a sign request with %s', (_what, change) => {
  test('is refused', () => {
    expect(readHeadsetMessage({ ...sign, ...change })).toBeNull();
  });
});

test('a signature comes with the outcome signed and with no other', () => {
  for (const outcome of ['denied', 'expired', 'failed']) {
    expect(readPhoneMessage({ ...result, outcome })).toBeNull();
  }
  expect(readPhoneMessage({ t: 'result', id, outcome: 'signed' })).toBeNull();
});

test('no JSON value makes a reader throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...headsetOnly, ...phoneOnly), (value, message) => {
      for (const read of [readHeadsetMessage, readPhoneMessage]) {
        read(value);
        for (const name of Object.keys(message)) read({ ...message, [name]: value });
      }
    }),
    { numRuns: 100 },
  );
});

test('the highest common version is spoken; without one the older program is named', () => {
  expect(negotiate([1], [1])).toEqual({ protocol: 1 });
  expect(negotiate([1, 2, 3], [2, 1])).toEqual({ protocol: 2 });
  expect(negotiate([1], [2, 3])).toEqual({ update: 'updateVmux' });
  expect(negotiate([3, 2], [1])).toEqual({ update: 'updateSigner' });
});

test('whatever identities there are, the message about them can be read', () => {
  const onlyFor = Array.from({ length: 10 }, () => anIdentity.fingerprint);
  const nasty = { ...anIdentity, label: '\u0001'.repeat(500), onlyFor };
  const identities = sayableIdentities(Array.from({ length: 100 }, () => nasty));
  const message = { t: 'identities', identities };
  expect(identities.length).toBeGreaterThan(30);
  expect(encodeFrame(message).length).toBeLessThan(65_541);
  expect(readPhoneMessage(message)).toEqual(message);
});

const offer = (identity: unknown) =>
  readPhoneMessage({ t: 'identities', identities: [anIdentity, identity] });

describe('an identity', () => {
  const passkey = createAuthenticator().identity;

  test('has a plain key or a passkey', () => {
    expect(offer(passkey)).toEqual({ t: 'identities', identities: [anIdentity, passkey] });
    expect(sayableIdentities([passkey, anIdentity])).toEqual([passkey, anIdentity]);
  });

  const ofSecurityKey = createAuthenticator({ rpId: 'ssh:' }).identity;
  const blob = Buffer.from(passkey.publicKey, 'base64');
  const withKey = (bytes: Uint8Array) => ({
    ...passkey,
    publicKey: Buffer.from(bytes).toString('base64'),
  });
  test.each([
    ['an algorithm that is not of its key', { ...passkey, algorithm: anIdentity.algorithm }],
    ['a key that is not of its algorithm', { ...anIdentity, algorithm: passkey.algorithm }],
    ['an unknown algorithm', { ...passkey, algorithm: 'ssh-ed25519' }],
    ["a signature's algorithm", { ...passkey, algorithm: `webauthn-${passkey.algorithm}` }],
    ['a security key for ssh', ofSecurityKey],
    ['something after the key', withKey(Buffer.concat([blob, Buffer.of(0)]))],
    ['no key', withKey(Buffer.from('a key blob'))],
  ])('with %s is refused, and never offered', (_what, identity) => {
    expect(offer(identity)).toBeNull();
    expect(sayableIdentities([identity, anIdentity])).toEqual([anIdentity]);
  });

  test('with a key that is cut off is refused', () => {
    for (let end = 0; end < blob.length; end += 1) {
      expect(offer(withKey(blob.subarray(0, end)))).toBeNull();
    }
  });
});

test("the longest challenge fits a frame, and so does a passkey's signature over it", () => {
  const authenticator = createAuthenticator({ rpId: `${'a'.repeat(63)}.local`, hmacSecret: true });
  const challenge = Buffer.alloc(33 * 1024, 0xff);
  const asked = { ...sign, data: challenge.toString('base64') };
  const signature = authenticator.signSsh(challenge).toString('base64');
  const answer = { ...result, signature };
  expect(readHeadsetMessage(asked)).toEqual(asked);
  expect(readPhoneMessage(answer)).toEqual(answer);
  expect(encodeFrame(answer).length).toBeLessThan(65_541);
  const longer = Buffer.concat([challenge, Buffer.of(0)]).toString('base64');
  expect(readHeadsetMessage({ ...sign, data: longer })).toBeNull();
});

test('a device certificate has a P-256 key, lasts for ever and says nothing about anyone', async () => {
  const [one, two] = [await createDeviceIdentity(), await createDeviceIdentity()];
  const certificate = new X509Certificate(one.certificatePem);
  expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  expect(certificate.subject).toBe('CN=vmux-signer device');
  expect(certificate.validFromDate.toISOString()).toBe('1970-01-01T00:00:00.000Z');
  expect(certificate.validToDate.toISOString()).toBe('9999-12-31T23:59:59.000Z');
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  expect(pinOf(certificate)).toBe(one.pin);
  expect(one.pin).toMatch(/^[\w-]{43}$/);
  expect(one.pin).not.toBe(two.pin);
  expect(certificate.serialNumber).not.toBe(new X509Certificate(two.certificatePem).serialNumber);
});
