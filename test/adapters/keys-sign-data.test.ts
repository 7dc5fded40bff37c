import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readUserCertificate } from '../../adapters/keys/certificate.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import { readRequest, type SignClaim } from '../../adapters/keys/sign-request.ts';
import type { Proof } from '../../machines/phone/ports.ts';
import {
  certificate,
  certificateByOpenSsh,
  certificateLogin,
  hasSshKeygen,
  hostKey,
  hostboundLogin,
  inTemporaryFolder,
  key,
  login,
  sessionId,
  sshsig,
  str,
  u32,
  unlessSshKeygen,
} from './keys-examples.ts';

const own = fingerprint(key.publicKey);
const caFingerprint = fingerprint(hostKey);

const readable = {
  publickey: login(),
  hostbound: hostboundLogin(),
  certificate: certificateLogin(),
  'certificate, hostbound': hostboundLogin({
    algorithm: 'ecdsa-sha2-nistp256-cert-v01@openssh.com',
    keyBlob: certificate(),
  }),
  sshsig: sshsig(),
};

describe('what the phone can read', () => {
  test('a publickey login', () => {
    expect(readSignData(login())).toEqual({
      kind: 'publickey',
      sessionId,
      user: 'deploy',
      algorithm: 'ecdsa-sha2-nistp256',
      keyBlob: key.publicKey,
      fingerprint: own,
      hostKey: null,
      certificate: null,
    });
  });

  test('a hostbound login, with the host key that it is bound to', () => {
    expect(readSignData(hostboundLogin())).toMatchObject({ kind: 'hostbound', hostKey });
  });

  test.each([20, 32, 48, 64])('a session id of %i bytes', (length) => {
    expect(readSignData(login({ sessionId: Buffer.alloc(length) }))).not.toBeNull();
  });

  test('a login with a user certificate for the key', () => {
    expect(readSignData(certificateLogin())).toMatchObject({
      kind: 'certificate',
      keyBlob: certificate(),
      fingerprint: own,
      certificate: {
        keyBlob: key.publicKey,
        serial: 5n,
        keyId: 'key of deploy',
        principals: ['deploy', 'root'],
        validAfter: 10n,
        validBefore: 2n ** 64n - 1n,
        criticalOptions: ['force-command'],
        caFingerprint,
      },
    });
  });

  test('a signature of a file or a commit, with its namespace', () => {
    expect(readSignData(sshsig())).toEqual({
      kind: 'sshsig',
      namespace: 'git',
      hashAlgorithm: 'sha256',
      hash: createHash('sha256').update('a commit').digest(),
    });
    expect(readSignData(sshsig({ hash: 'sha512', digest: Buffer.alloc(64) }))).not.toBeNull();
  });
});

describe('what the phone cannot read', () => {
  test.each(Object.entries(readable))('%s: every truncation', (_kind, data) => {
    for (let length = 0; length < data.length; length += 1) {
      expect(readSignData(data.subarray(0, length))).toBeNull();
    }
  });

  test.each(Object.entries(readable))('%s: any trailing byte', (_kind, data) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 8 }), (trail) => {
        expect(readSignData(Buffer.concat([data, trail]))).toBeNull();
      }),
    );
  });

  test.each([
    ['publickey', 9],
    ['hostbound', 10],
    ['certificate', 17],
    ['certificate, hostbound', 18],
    ['sshsig', 4],
  ] as const)('%s: any other length in any of its %i places', (kind, count) => {
    const data = readable[kind];
    const places = lengthPlaces(data);
    expect(places).toHaveLength(count);
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.oneof(fc.nat(0xffffffff), fc.nat(data.length), fc.constantFrom(-1, 1)),
        (place, value) => {
          const honest = data.readUInt32BE(place);
          const forged = (value === -1 || value === 1 ? honest + value : value) >>> 0;
          fc.pre(forged !== honest);
          const mutated = Buffer.from(data);
          mutated.writeUInt32BE(forged, place);
          expect(readSignData(mutated)).toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readSignData(bytes)).toBeNull();
      }),
    );
  });

  test('flipped bytes never throw, and what is still readable encodes to the same bytes', () => {
    fc.assert(
      fc.property(
        fc.nat(hostboundLogin().length - 1),
        fc.integer({ min: 1, max: 255 }),
        (at, by) => {
          const data = hostboundLogin();
          data[at] = (data[at] ?? 0) ^ by;
          const read = readSignData(data);
          if (read === null) return;
          expect.assert(read.kind === 'hostbound');
          const { sessionId, user, keyBlob } = read;
          const after = str(read.hostKey ?? '');
          expect(hostboundLogin({ sessionId, user, keyBlob, after })).toEqual(data);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ['another service', login({ service: 'ssh-userauth' })],
    ['another message', login({ message: 51 })],
    ['an offer without signature', login({ flag: 0 })],
    ['a true that is not 1', login({ flag: 2 })],
    ['another method', login({ method: 'hostbased' })],
    ['no user', login({ user: '' })],
    ['a user that is not UTF-8', login({ user: Buffer.of(0x72, 0xff) })],
    ['a session id of 31 bytes', login({ sessionId: Buffer.alloc(31) })],
    ['no session id', login({ sessionId: Buffer.alloc(0) })],
    ['another algorithm', login({ algorithm: 'ecdsa-sha2-nistp384' })],
    ['an algorithm that is not that of the key', login({ keyBlob: certificate() })],
    ['a certificate algorithm with a plain key', certificateLogin(key.publicKey)],
    ['a key of another type', login({ algorithm: 'ssh-ed25519', keyBlob: hostKey })],
    [
      'a key with a trailing byte',
      login({ keyBlob: Buffer.concat([key.publicKey, Buffer.of(0)]) }),
    ],
    ['a host key in a plain request', login({ after: str(hostKey) })],
    ['a hostbound request without host key', hostboundLogin({ after: Buffer.alloc(0) })],
    ['a hostbound request with an empty host key', hostboundLogin({ after: str('') })],
    ['an SSHSIG without namespace', sshsig({ namespace: '' })],
    ['an SSHSIG namespace that is not UTF-8', sshsig({ namespace: Buffer.of(0xc3) })],
    ['an SSHSIG with something reserved', sshsig({ reserved: 'x' })],
    ['an SSHSIG with another hash', sshsig({ hash: 'sha1', digest: Buffer.alloc(20) })],
    ['an SSHSIG hash of the wrong length', sshsig({ hash: 'sha512' })],
    ['a host certificate', certificateLogin(certificate({ type: 2 }))],
    ['a certificate without nonce', certificateLogin(certificate({ nonce: Buffer.alloc(0) }))],
    [
      'a certificate with a short point',
      certificateLogin(certificate({ point: Buffer.alloc(64, 4) })),
    ],
    [
      'a certificate with a nameless principal',
      certificateLogin(certificate({ principals: str('') })),
    ],
    ['a certificate that is never valid', certificateLogin(certificate({ validBefore: 10n }))],
    [
      'certificate options out of order',
      certificateLogin(
        certificate({ options: Buffer.concat([str('b'), str(''), str('a'), str('')]) }),
      ),
    ],
    [
      'a certificate option given twice',
      certificateLogin(
        certificate({ options: Buffer.concat([str('a'), str(''), str('a'), str('')]) }),
      ),
    ],
    ['a certificate with something reserved', certificateLogin(certificate({ reserved: 'x' }))],
    ['a certificate by a certificate', certificateLogin(certificate({ caKey: certificate() }))],
    [
      'a certificate whose signature is of another algorithm than its CA',
      certificateLogin(
        certificate({ signature: Buffer.concat([str('ssh-rsa'), str(Buffer.alloc(64))]) }),
      ),
    ],
    ['a certificate with a trailing byte', certificateLogin(certificate({ after: Buffer.of(0) }))],
    [
      'a certificate with 257 principals',
      certificateLogin(
        certificate({ principals: Buffer.concat(Array.from({ length: 257 }, () => str('a'))) }),
      ),
    ],
  ])('%s', (_what, data) => {
    expect(readSignData(data)).toBeNull();
  });
});

describe('a request held against its claim', () => {
  const claim: SignClaim = { fingerprint: own, user: 'deploy', host: 'web1', binds: [] };
  const held = (asked: string) => (asked === own ? key.publicKey : null);
  const read = (
    data: Uint8Array,
    claimed = claim,
    blobOf: typeof held | (() => Uint8Array | null) = held,
  ) => readRequest(data, claimed, blobOf, 0);
  const noBind: Proof = { strength: 'none', host: null, hops: [], why: 'noBind' };

  test.each([
    ['publickey', login(), null],
    ['hostbound', hostboundLogin(), null],
    [
      'certificate',
      certificateLogin(),
      `certificate by CA ${caFingerprint}, principals deploy, root`,
    ],
  ])('%s: user and detail come from the bytes', (kind, data, detail) => {
    expect(read(data)).toEqual({
      ok: true,
      kind,
      user: 'deploy',
      detail,
      proof: noBind,
    });
  });

  test('sshsig: there is no user, and the claim must not name one', () => {
    const signClaim = { ...claim, user: '', host: '' };
    expect(read(sshsig(), signClaim)).toEqual({
      ok: true,
      kind: 'sshsig',
      user: '',
      detail: 'namespace git',
      proof: { ...noBind, why: 'signature' },
    });
    expect(read(sshsig())).toEqual({ ok: false, reason: 'requestMismatch' });
  });

  test.each([
    ['a namespace', sshsig({ namespace: '\u0001'.repeat(30_000) }), ''],
    [
      'a principal',
      certificateLogin(certificate({ principals: str('\u{1f511}'.repeat(10_000)) })),
      'deploy',
    ],
  ])('of %s that fills the request only the beginning goes on', (_what, data, user) => {
    const found = read(data, { ...claim, user });
    expect(found).toMatchObject({ ok: true, detail: expect.stringMatching(/^.{120,200}$/su) });
    expect(JSON.stringify(found).length).toBeLessThan(2_000);
  });

  test('another user than claimed is a mismatch', () => {
    expect(read(login({ user: 'root' }))).toEqual({ ok: false, reason: 'requestMismatch' });
  });

  test('another key than claimed is a mismatch, even one that the phone holds', () => {
    const other = { ...claim, fingerprint: caFingerprint };
    for (const data of [login(), hostboundLogin(), certificateLogin()]) {
      expect(read(data, other, () => null)).toEqual({
        ok: false,
        reason: 'requestMismatch',
      });
    }
    expect(read(login(), claim, () => hostKey)).toEqual({
      ok: false,
      reason: 'requestMismatch',
    });
  });

  test('bytes that are no request are unreadable, whatever is claimed of them', () => {
    expect(read(Buffer.from('sign me'))).toEqual({
      ok: false,
      reason: 'requestUnreadable',
    });
  });

  test('a key that the phone does not hold is still read', () => {
    expect(read(login(), claim, () => null)).toMatchObject({ ok: true, user: 'deploy' });
  });

  test('no principals, and more than eight, are said in words', () => {
    const none = certificateLogin(certificate({ principals: Buffer.alloc(0) }));
    expect(read(none)).toMatchObject({
      detail: `certificate by CA ${caFingerprint}, no principals`,
    });
    const ten = Buffer.concat(Array.from({ length: 10 }, (_, n) => str(`p${n}`)));
    expect(read(certificateLogin(certificate({ principals: ten })))).toMatchObject({
      detail: `certificate by CA ${caFingerprint}, principals p0, p1, p2, p3, p4, p5, p6, p7 and 2 more`,
    });
  });
});

describe(`certificates made by OpenSSH${unlessSshKeygen}`, () => {
  test.skipIf(!hasSshKeygen).each(['ed25519', 'rsa', 'ecdsa'])(
    'one by an %s CA is read as ssh-keygen -L prints it',
    async (caType) => {
      await inTemporaryFolder((folder) => {
        const blob = certificateByOpenSsh(
          folder,
          caType,
          (
            '-I deploy@phone -n deploy,root -z 42 -V 20300101:20310101 ' +
            '-O source-address=10.0.0.0/8 -O force-command=id -O no-pty'
          ).split(' '),
        );
        const read = readUserCertificate(blob);
        expect(read).toMatchObject({
          keyBlob: key.publicKey,
          serial: 42n,
          keyId: 'deploy@phone',
          principals: ['deploy', 'root'],
          criticalOptions: ['force-command', 'source-address'],
        });
        const path = join(folder, 'again.pub');
        writeFileSync(path, `ecdsa-sha2-nistp256-cert-v01@openssh.com ${blob.toString('base64')}`);
        const printed = execFileSync('ssh-keygen', ['-L', '-f', path], { encoding: 'utf8' });
        expect(printed).toContain(`ECDSA-CERT ${own}`);
        expect(printed).toContain(` ${read?.caFingerprint} `);
        expect(readSignData(certificateLogin(blob))).toMatchObject({ kind: 'certificate' });
        expect(readUserCertificate(blob.subarray(0, -1))).toBeNull();
      });
    },
  );

  test.skipIf(!hasSshKeygen)('a host certificate is refused', async () => {
    await inTemporaryFolder((folder) => {
      const blob = certificateByOpenSsh(folder, 'ed25519', ['-h', '-I', 'web1', '-n', 'web1']);
      expect(readUserCertificate(blob)).toBeNull();
    });
  });
});

/** Offsets of all length fields that can be walked to: top level, then inside key blobs. */
function lengthPlaces(data: Buffer): number[] {
  const places: number[] = [];
  function walk(at: number, end: number, skips: Map<number, number>): void {
    let field = 0;
    let from = at;
    while (from + 4 <= end) {
      from += skips.get(field) ?? 0;
      if (from + 4 > end) return;
      const length = data.readUInt32BE(from);
      if (from + 4 + length > end) return;
      places.push(from);
      const inner = data.subarray(from + 4, from + 4 + length);
      if (inner.indexOf(u32(19)) === 0 || inner.indexOf(u32(40)) === 0) {
        const isCertificate = inner.indexOf(u32(40)) === 0;
        walk(
          from + 4,
          from + 4 + length,
          new Map(
            isCertificate
              ? [
                  [4, 12],
                  [6, 16],
                ]
              : [],
          ),
        );
      }
      from += 4 + length;
      field += 1;
    }
  }
  const isSshsig = data.subarray(0, 6).toString() === 'SSHSIG';
  walk(
    0,
    data.length,
    new Map(
      isSshsig
        ? [[0, 6]]
        : [
            [1, 1],
            [4, 1],
          ],
    ),
  );
  return places;
}
