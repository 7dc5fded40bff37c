import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readHostKey } from '../../adapters/keys/host-key.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import type { Approval, PageSheet } from '../../adapters/phone-page/protocol.ts';
import type { PageIdentity } from '../../adapters/phone-page/state.ts';
import { passkeyBlob } from '../../adapters/webauthn/cose-key.ts';
import { isOtherwise, readBytes } from '../../app/phone/page/core/read-bytes.ts';
import type { ReadBytes } from '../../app/phone/page/port.ts';
import type { Badge } from '../../machines/phone/destination.ts';
import {
  certificateType,
  hostCertificate,
  hostKeyPair,
  hostKeyTypes,
} from '../adapters/host-key-examples.ts';
import {
  certificate,
  certificateLogin,
  hostboundLogin,
  hostKey,
  key,
  login,
  point,
  sshsig,
  str,
} from '../adapters/keys-examples.ts';
import { identity, sheet as sheetWith } from './scenes.ts';

const PAGE = 'signer-k4xq.local';
const passkey = passkeyBlob(point, PAGE);
const passkeyLogin = () =>
  hostboundLogin({ algorithm: 'sk-ecdsa-sha2-nistp256@openssh.com', keyBlob: passkey });

const examples = {
  publickey: login(),
  hostbound: hostboundLogin(),
  passkey: passkeyLogin(),
  certificate: certificateLogin(),
  sshsig: sshsig(),
};

/** As `signer` reads them. */
function readBySigner(bytes: Uint8Array): ReadBytes | null {
  const read = readSignData(bytes);
  if (read === null) return null;
  if (read.kind === 'sshsig') return { kind: 'sshsig', namespace: read.namespace };
  const { kind, user, fingerprint: ofKey, hostKey: ofHost } = read;
  const ca = read.certificate;
  return {
    kind,
    user,
    fingerprint: ofKey,
    hostKey: ofHost && (readHostKey(ofHost)?.fingerprint ?? fingerprint(ofHost)),
    certificate: ca && { ca: ca.caFingerprint, principals: ca.principals },
  };
}

const readByPage = async (bytes: Uint8Array) => (await readBytes(bytes))?.read ?? null;

describe('the bytes of a request, read in the page', () => {
  test.each(Object.entries(examples))('%s: as signer reads them', async (_kind, bytes) => {
    const read = await readByPage(bytes);
    expect(read).not.toBeNull();
    expect(read).toEqual(readBySigner(bytes));
  });

  test.each(hostKeyTypes)('name a %s host by its plain key, certified or not', async (type) => {
    const [host, ca] = [hostKeyPair(type), hostKeyPair('ssh-ed25519')];
    for (const blob of [host.blob, hostCertificate(host, ca)]) {
      const bytes = hostboundLogin({ after: str(blob) });
      expect(await readByPage(bytes)).toMatchObject({ hostKey: fingerprint(host.blob) });
      expect(await readByPage(bytes)).toEqual(readBySigner(bytes));
    }
  });

  test('a host certificate of an unknown type, or cut short, is named by what it is', async () => {
    const unknown = Buffer.concat([str('x-cert-v01@example.org'), str('nonce'), str('key')]);
    const short = Buffer.concat([str(certificateType('ssh-ed25519')), str('nonce')]);
    for (const blob of [unknown, short]) {
      const read = await readByPage(hostboundLogin({ after: str(blob) }));
      expect(read).toMatchObject({ hostKey: fingerprint(blob) });
    }
  });

  test.each(Object.entries(examples))('%s: nothing but the whole is read', async (_kind, bytes) => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(await readByPage(bytes.subarray(0, length))).toBeNull();
    }
    expect(await readByPage(Buffer.concat([bytes, Buffer.of(0)]))).toBeNull();
  });

  test('whatever is changed, page and signer read the same', async () => {
    const changed = fc
      .tuple(
        fc.constantFrom(...Object.values(examples)),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      )
      .map(([bytes, changes]) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(changed, async (bytes) => {
        const [byPage, bySigner] = [await readByPage(bytes), readBySigner(bytes)];
        expect(byPage).toEqual(bySigner);
      }),
      { numRuns: 2000 },
    );
  });
});

const credential = { id: 'AQID', transports: ['internal'], rpId: PAGE };
const sealed = {
  v: 1 as const,
  publicKey: key.publicKey.toString('base64url'),
  salt: 'AA',
  iv: 'AA',
  sealed: 'AA',
};
const bySealed: Approval = { by: 'sealed', credential, sealed };
const byPasskey: Approval = { by: 'passkey', credential };
const known = (ofHost: Uint8Array): Badge => ({
  badge: 'known',
  name: 'web',
  since: 1,
  isCertified: false,
  fingerprint: fingerprint(ofHost),
});
const other = fingerprint(Buffer.from('another key'));

const truthful = {
  publickey: {
    kind: 'publickey',
    badge: { badge: 'vouched', name: null, fingerprint: fingerprint(hostKey) },
  },
  hostbound: { kind: 'hostbound', badge: known(hostKey) },
  certificate: { kind: 'certificate', badge: { badge: 'notProven', why: 'noBind' } },
  sshsig: { kind: 'sshsig', user: '', badge: { badge: 'signature' } },
} as const satisfies Record<string, Partial<PageSheet>>;

/** A sheet that says what the bytes say, but for `change`. */
async function isRefused(
  example: keyof typeof examples,
  change: Partial<PageSheet> = {},
  { page = PAGE, identities }: { page?: string; identities?: PageIdentity[] } = {},
): Promise<boolean> {
  const facts = await readBytes(examples[example]);
  if (facts === null) throw new Error('not readable');
  const isPasskey = example === 'passkey';
  const ofKey = fingerprint(isPasskey ? passkey : key.publicKey);
  const sheet = sheetWith({
    user: 'deploy',
    fingerprint: ofKey,
    approval: isPasskey ? byPasskey : bySealed,
    ...truthful[isPasskey ? 'hostbound' : example],
    ...change,
  });
  const listed = identities ?? [identity({ fingerprint: ofKey, credential })];
  return isOtherwise(facts, sheet, page, listed);
}

describe('the words of a sheet', () => {
  test.each(Object.keys(examples) as (keyof typeof examples)[])(
    '%s: those that are true are not refused',
    async (example) => {
      expect(await isRefused(example)).toBe(false);
    },
  );

  test.each<[string, Parameters<typeof isRefused>]>([
    ['another kind', ['hostbound', { kind: 'publickey' }]],
    ['another kind, of a signature', ['sshsig', { kind: 'publickey' }]],
    ['another user', ['hostbound', { user: 'root' }]],
    ['a user that only looks the same', ['hostbound', { user: 'deploy\u200b' }]],
    ['another key', ['hostbound', { fingerprint: other }]],
    ['another host, known', ['hostbound', { badge: known(Buffer.from('x')) }]],
    [
      'another host, known by another name',
      ['hostbound', { badge: { badge: 'knownAs', name: 'x', since: 1, fingerprint: other } }],
    ],
    ['another host, new', ['hostbound', { badge: { badge: 'newHost', fingerprint: other } }]],
    [
      'another host, with a new key type',
      ['hostbound', { badge: { badge: 'newKeyType', fingerprint: other } }],
    ],
    [
      'another host, changed',
      ['hostbound', { badge: { badge: 'changed', name: 'x', known: 'y', fingerprint: other } }],
    ],
    [
      'a host that is only vouched for, though the bytes name one',
      ['hostbound', { badge: { badge: 'vouched', name: null, fingerprint: fingerprint(hostKey) } }],
    ],
    ['a known host, though the bytes name none', ['publickey', { badge: known(hostKey) }]],
    [
      'a new host, though the bytes name none',
      ['publickey', { badge: { badge: 'newHost', fingerprint: fingerprint(hostKey) } }],
    ],
    ['a login as a signature', ['hostbound', { badge: { badge: 'signature' } }]],
    ['a signature as a login', ['sshsig', { badge: { badge: 'notProven', why: 'noBind' } }]],
  ])('that say %s are refused', async (_what, [example, change]) => {
    expect(await isRefused(example, change)).toBe(true);
  });

  test.each<[string, Parameters<typeof isRefused>]>([
    ['a passkey of another page', ['passkey', {}, { page: 'signer-zzzz.local' }]],
    ['a sealed key of another page', ['hostbound', {}, { page: 'signer-zzzz.local' }]],
    [
      'a passkey that says it is of this page, when its key does not',
      [
        'hostbound',
        { approval: byPasskey },
        { identities: [identity({ fingerprint: fingerprint(key.publicKey), credential })] },
      ],
    ],
    ['a sealed key for the login of a passkey', ['passkey', { approval: bySealed }]],
    [
      'a lost sealed key for the login of a passkey',
      ['passkey', { approval: { by: 'sealed', credential, sealed: null } }],
    ],
    ['the terminal for the login of a passkey', ['passkey', { approval: { by: 'terminal' } }]],
    [
      'the passkey of another identity',
      [
        'hostbound',
        {},
        {
          identities: [
            identity({
              fingerprint: fingerprint(key.publicKey),
              credential: { ...credential, id: 'BBBB' },
            }),
          ],
        },
      ],
    ],
    ['a passkey of no identity', ['hostbound', {}, { identities: [] }]],
    [
      'another sealed key',
      [
        'hostbound',
        {
          approval: {
            by: 'sealed',
            credential,
            sealed: { ...sealed, publicKey: Buffer.from('x').toString('base64url') },
          },
        },
      ],
    ],
    [
      'another sealed key, for a signature that names none',
      [
        'sshsig',
        {
          approval: {
            by: 'sealed',
            credential,
            sealed: { ...sealed, publicKey: Buffer.from('x').toString('base64url') },
          },
        },
      ],
    ],
  ])('that would have it approved with %s are refused', async (_what, [example, change, rest]) => {
    expect(await isRefused(example, change, rest)).toBe(true);
  });

  test('a certificate is known by the key inside, and says who certified it', async () => {
    const read = await readByPage(certificateLogin(certificate()));
    expect(read).toEqual({
      kind: 'certificate',
      user: 'deploy',
      fingerprint: fingerprint(key.publicKey),
      hostKey: null,
      certificate: { ca: fingerprint(hostKey), principals: ['deploy', 'root'] },
    });
  });
});
