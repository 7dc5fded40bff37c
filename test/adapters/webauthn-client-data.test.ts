import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientDataProblem } from '../../adapters/wire/client-data.ts';
import { readIdentityKey, readPasskeyKey } from '../../adapters/wire/identity-key.ts';
import { isOriginOf, isRpId } from '../../adapters/wire/relying-party.ts';
import { key, str } from './keys-examples.ts';
import { authenticator, challenge, longer, truncations } from './webauthn-examples.ts';

const { origin, point, blob, rpId } = authenticator;
const expected = { type: 'webauthn.get', challenge, origin } as const;
const encoded = challenge.toString('base64url');
const beginning = `{"type":"webauthn.get","challenge":"${encoded}","origin":"${origin}"`;
const problem = (text: string) => clientDataProblem(Buffer.from(text), expected);

describe('client data', () => {
  test.each([
    ['as Chromium writes them', ',"crossOrigin":false}'],
    ['as Safari wrote them', '}'],
    ['with members that nobody knows', ',"crossOrigin":false,"new":{"a":[1]}}'],
  ])('%s are good', (_what, end) => {
    expect(problem(`${beginning}${end}`)).toBeNull();
  });

  test.each([
    ['cut off', beginning, 'clientDataMalformed'],
    ['with something after them', `${beginning}}}`, 'clientDataMalformed'],
    ['that are a list', '[]', 'clientDataMalformed'],
    ['that are nothing', 'null', 'clientDataMalformed'],
    ['that are text', '"webauthn.get"', 'clientDataMalformed'],
    ['with a byte order mark', `\uFEFF${beginning}}`, 'clientDataMalformed'],
    ['in another order', `{"new":1,${beginning.slice(1)}}`, 'clientDataMalformed'],
    ['with spaces', `${beginning.replace(',', ', ')}}`, 'clientDataMalformed'],
    ['of another type', `${beginning.replace('.get', '.create')}}`, 'otherType'],
    ['with a padded challenge', `${beginning.replace(encoded, `${encoded}=`)}}`, 'otherChallenge'],
    ['with a second challenge', `${beginning},"challenge":"AAAA"}`, 'otherChallenge'],
    ['of a second type', `${beginning},"type":"webauthn.create"}`, 'otherType'],
    ['of another port', `${beginning.replace('8443', '443')}}`, 'otherOrigin'],
    ['of a frame', `${beginning},"crossOrigin":true}`, 'crossOrigin'],
    ['of what may be a frame', `${beginning},"crossOrigin":"false"}`, 'crossOrigin'],
    ['that name the page around', `${beginning},"topOrigin":"https://a.example"}`, 'crossOrigin'],
  ])('%s are refused', (_what, text, why) => {
    expect(problem(text)).toBe(why);
  });

  test('that are not UTF-8 are refused', () => {
    const bytes = Buffer.concat([Buffer.from(`${beginning},"a":"`), Buffer.from('ff227d', 'hex')]);
    expect(clientDataProblem(bytes, expected)).toBe('clientDataMalformed');
  });

  test('with an empty challenge have an empty one', () => {
    const empty = { ...expected, challenge: Buffer.of() };
    const text = `{"type":"webauthn.get","challenge":"","origin":"${origin}"}`;
    expect(clientDataProblem(Buffer.from(text), empty)).toBeNull();
  });

  test('never make the reader throw', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        expect(problem(json)).not.toBeNull();
        expect(problem(text)).not.toBeNull();
        problem(`${beginning}${text}`);
      }),
    );
    expect(problem('['.repeat(60_000))).toBe('clientDataMalformed');
  });
});

describe('a relying party', () => {
  test.each([
    'localhost',
    'signer-7kq2.local',
    'a.b.c.example',
    'x',
    `${'a'.repeat(63)}.example`,
    `${'a.'.repeat(126)}a`,
  ])('can be %s', (name) => {
    expect(isRpId(name)).toBe(true);
  });

  test.each([
    '',
    'ssh:',
    'Signer.local',
    'signer.local.',
    '.local',
    'a..b',
    '-a.local',
    'a-.local',
    'sígner.local',
    '127.0.0.1',
    '2130706433',
    '[::1]',
    'signer.local:8443',
    'https://signer.local',
    'signer.local\n',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(126)}ab`,
  ])('cannot be %j', (name) => {
    expect(isRpId(name)).toBe(false);
  });

  test.each([
    ['https://signer.local', 'signer.local'],
    ['https://signer.local:8443', 'signer.local'],
    ['https://phone.signer.local', 'signer.local'],
    ['http://localhost:8080', 'localhost'],
    ['http://phone.localhost:8080', 'localhost'],
  ])('%s may use the passkeys of %s', (page, name) => {
    expect(isOriginOf(page, name)).toBe(true);
  });

  test.each([
    ['https://evil.example', 'signer.local'],
    ['https://evilsigner.local', 'signer.local'],
    ['https://signer.local.evil.example', 'signer.local'],
    ['https://local', 'signer.local'],
    ['http://signer.local', 'signer.local'],
    ['http://localhost.evil.example', 'localhost.evil.example'],
    ['https://signer.local/', 'signer.local'],
    ['https://signer.local:443', 'signer.local'],
    ['https://SIGNER.local', 'signer.local'],
    ['https://signer.local@evil.example', 'signer.local'],
    ['https://evil.example#.signer.local', 'signer.local'],
    ['android:apk-key-hash:AAAA', 'signer.local'],
    ['null', 'signer.local'],
    ['', 'signer.local'],
    ['https://127.0.0.1', '127.0.0.1'],
  ])('%s may not use the passkeys of %s', (page, name) => {
    expect(isOriginOf(page, name)).toBe(false);
  });
});

describe("an identity's key", () => {
  const plain = 'ecdsa-sha2-nistp256';
  const sk = 'sk-ecdsa-sha2-nistp256@openssh.com';

  test('is a plain one or a passkey', () => {
    const plainPoint = key.publicKey.subarray(-65);
    expect(readIdentityKey(key.publicKey)).toEqual({ algorithm: plain, point: plainPoint });
    expect(readIdentityKey(blob)).toEqual({ algorithm: sk, point, rpId });
    expect(readPasskeyKey(blob)).toEqual({ algorithm: sk, point, rpId });
    expect(readPasskeyKey(key.publicKey)).toBeNull();
  });

  test('is refused with anything cut off or added', () => {
    for (const whole of [blob, key.publicKey]) {
      for (const cut of truncations(whole)) expect(readIdentityKey(cut)).toBeNull();
      expect(readIdentityKey(longer(whole))).toBeNull();
    }
  });

  test.each([
    ['of another type', ['ssh-ed25519', 'nistp256', point]],
    [
      'of another type with an application',
      ['sk-ssh-ed25519@openssh.com', 'nistp256', point, rpId],
    ],
    ['on another curve', [plain, 'nistp384', point]],
    ['with a compressed point', [plain, 'nistp256', Buffer.alloc(33, 2)]],
    ['with a point of another form', [plain, 'nistp256', Buffer.alloc(65, 6)]],
    ['of a plain type with an application', [plain, 'nistp256', point, rpId]],
    ['of a security key without application', [sk, 'nistp256', point]],
    ['of a security key for ssh', [sk, 'nistp256', point, 'ssh:']],
  ])('%s is refused', (_what, fields) => {
    expect(readIdentityKey(Buffer.concat(fields.map(str)))).toBeNull();
  });
});
