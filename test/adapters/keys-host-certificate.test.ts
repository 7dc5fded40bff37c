import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  certificateProblem,
  readHostCertificate,
  type HostCertificate,
} from '../../adapters/keys/host-certificate.ts';
import { readHostKey } from '../../adapters/keys/host-key.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import {
  certifyByOpenSsh,
  hostCertificate,
  hostKeyPair,
  hostKeyTypes,
  makeKeyByOpenSsh,
  publicBlobOfFile,
  type HostCertificateParts,
} from './host-key-examples.ts';
import { hasSshKeygen, inTemporaryFolder, str, unlessSshKeygen } from './keys-examples.ts';

const host = hostKeyPair('ssh-ed25519');
const ca = hostKeyPair('ecdsa-sha2-nistp256');
const other = hostKeyPair('ssh-ed25519');

/** Milliseconds: within 1000–2000 s, when the certificates made here are valid. */
const now = 1_500_000;

function read(changes: Partial<HostCertificateParts> = {}): HostCertificate {
  const certified = readHostCertificate(hostCertificate(host, ca, changes));
  expect.assert(certified !== null);
  return certified.certificate;
}

const options = (...names: string[]) =>
  Buffer.concat(names.flatMap((name) => [str(name), str('')]));

describe('a host certificate', () => {
  test('is read wholly, with the key inside it', () => {
    const blob = hostCertificate(host, ca);
    const certified = readHostCertificate(blob);
    expect(certified?.key.keyBlob).toEqual(host.blob);
    expect(certified?.certificate).toEqual({
      caFingerprint: fingerprint(ca.blob),
      principals: ['web1', 'web1.example.com'],
      validAfter: 1_000n,
      validBefore: 2_000n,
      defect: null,
    });
  });

  test.each(hostKeyTypes)('by a CA with a key of type %s is verified', (keyType) => {
    const authority = hostKeyPair(keyType);
    const blob = hostCertificate(host, authority);
    expect(readHostKey(blob)?.certificate).toMatchObject({
      caFingerprint: fingerprint(authority.blob),
      defect: null,
    });
  });

  test('may have extensions that nobody knows', () => {
    expect(read({ extensions: options('a@example.com', 'b@example.com') }).defect).toBeNull();
  });
});

describe('what a certificate may stand for', () => {
  test.each(['web1', 'web1.example.com', 'WEB1', 'Web1.Example.COM'])(
    '%s, which it names',
    (name) => {
      expect(certificateProblem(read(), name, now)).toBeNull();
    },
  );

  test('a host that it names in capitals', () => {
    expect(certificateProblem(read({ principals: ['WEB1'] }), 'web1', now)).toBeNull();
  });

  test.each(['web2', 'web1.', 'web', 'web1.example.com:22', '', '*', 'web1 '])(
    'not %j, which it does not name',
    (name) => {
      expect(certificateProblem(read(), name, now)).toBe('otherHost');
    },
  );

  test('a pattern among its names is a name like any other', () => {
    const certificate = read({ principals: ['*.example.com', 'web?'] });
    expect(certificateProblem(certificate, 'web1.example.com', now)).toBe('otherHost');
    expect(certificateProblem(certificate, 'web1', now)).toBe('otherHost');
  });

  test('a letter that only lower-cases to an ASCII one is another letter', () => {
    const certificate = read({ principals: ['ban\u212A'] });
    expect(certificateProblem(certificate, 'bank', now)).toBe('otherHost');
  });

  test('one that names no host stands for none', () => {
    expect(certificateProblem(read({ principals: [] }), 'web1', now)).toBe('otherHost');
  });

  test.each([
    [999_999, 'notYetValid'],
    [1_000_000, null],
    [1_999_999, null],
    [2_000_000, 'expired'],
    [0, 'notYetValid'],
    [-1, 'notYetValid'],
  ])('at %i ms the answer is %s', (at, problem) => {
    expect(certificateProblem(read(), 'web1', at)).toBe(problem);
  });

  test('one for ever never expires, and one that ends before it begins is never valid', () => {
    const forever = read({ validAfter: 0n, validBefore: 2n ** 64n - 1n });
    expect(certificateProblem(forever, 'web1', Number.MAX_SAFE_INTEGER)).toBeNull();
    const never = read({ validAfter: 2_000n, validBefore: 1_000n });
    expect(certificateProblem(never, 'web1', 1_500_000)).toBe('notYetValid');
    expect(certificateProblem(never, 'web1', 2_500_000)).toBe('expired');
  });
});

describe('a defect, whoever the CA is', () => {
  test.each<[string, HostCertificate['defect'], Partial<HostCertificateParts>]>([
    ['a user certificate', 'userCertificate', { type: 1 }],
    ['a critical option', 'criticalOptions', { options: options('force-command') }],
    ['the key of a CA that has not signed it', 'badSignature', { caKey: other.blob }],
    ['a signature over other bytes', 'badSignature', { signature: ca.sign(Buffer.of(1)) }],
    ['no signature', 'badSignature', { signature: Buffer.alloc(0) }],
    ['a CA of a type that cannot be checked', 'badSignature', { caKey: str('ssh-dss') }],
    ['a CA that is itself certified', 'badSignature', { caKey: hostCertificate(ca, other) }],
  ])('%s: %s, at any time and for any name', (_what, defect, changes) => {
    const certificate = read(changes);
    expect(certificate.defect).toBe(defect);
    expect(certificateProblem(certificate, 'web1', now)).toBe(defect);
    expect(certificateProblem(certificate, 'web2', 0)).toBe(defect);
  });

  test('a CA with an RSA key that has signed with SHA-1', () => {
    const rsa = hostKeyPair('ssh-rsa');
    const honest = hostCertificate(host, rsa);
    const signed = honest.subarray(0, honest.length - 4 - rsa.sign(Buffer.alloc(0)).length);
    for (const [algorithm, hash, defect] of [
      ['rsa-sha2-512', 'sha512', null],
      ['ssh-rsa', 'sha1', 'badSignature'],
    ] as const) {
      const signature = rsa.sign(signed, { algorithm, hash });
      expect(readHostKey(hostCertificate(host, rsa, { signature }))?.certificate?.defect).toBe(
        defect,
      );
    }
  });

  test('any byte changed between the type and the signature', () => {
    const blob = hostCertificate(host, other);
    const end = blob.length - 4 - other.sign(Buffer.alloc(0)).length;
    for (let at = 4; at < end; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      const certified = readHostCertificate(changed);
      expect(certified?.certificate.defect ?? 'badSignature').toBe('badSignature');
    }
  });
});

describe('bytes that are no certificate', () => {
  test.each<[string, Partial<HostCertificateParts>]>([
    ['a type that is neither user nor host', { type: 3 }],
    ['no nonce', { nonce: Buffer.alloc(0) }],
    ['a nameless principal', { principals: ['web1', ''] }],
    ['257 principals', { principals: Array.from({ length: 257 }, () => 'a') }],
    ['options out of order', { options: options('b', 'a') }],
    ['an extension given twice', { extensions: options('a', 'a') }],
    ['something reserved', { reserved: 'x' }],
    ['a trailing byte', { after: Buffer.of(0) }],
  ])('%s', (_what, changes) => {
    expect(readHostCertificate(hostCertificate(host, ca, changes))).toBeNull();
  });

  test('a plain key, and a certificate for a key that is not read', () => {
    expect(readHostCertificate(host.blob)).toBeNull();
    const weak = hostKeyPair('ssh-rsa', 1024);
    expect(readHostCertificate(hostCertificate(weak, ca))).toBeNull();
  });
});

describe(`certificates made by OpenSSH${unlessSshKeygen}`, () => {
  const at = Date.UTC(2030, 5, 1);
  const valid = '20300101Z:20310101Z';

  test.skipIf(!hasSshKeygen).each([
    ['ed25519', '', 'ed25519'],
    ['ecdsa', '256', 'ed25519'],
    ['ecdsa', '384', 'rsa'],
    ['ecdsa', '521', 'ecdsa'],
    ['rsa', '2048', 'rsa'],
  ])(
    'of an %s key (%s) by an %s CA is read as ssh-keygen -L prints it',
    async (type, bits, caType) => {
      await inTemporaryFolder((folder) => {
        const [path, caPath] = [join(folder, 'host'), join(folder, 'ca')];
        makeKeyByOpenSsh(path, type, bits);
        makeKeyByOpenSsh(caPath, caType, '');
        const options = ['-h', '-I', 'rack', '-n', 'web1,web1.example.com', '-V', valid];
        const { blob, file } = certifyByOpenSsh(path, caPath, options);
        const hostKey = readHostKey(blob);
        expect(hostKey).toMatchObject({
          keyBlob: publicBlobOfFile(`${path}.pub`),
          certificate: {
            caFingerprint: fingerprint(publicBlobOfFile(`${caPath}.pub`)),
            principals: ['web1', 'web1.example.com'],
            validAfter: BigInt(Date.UTC(2030, 0, 1) / 1000),
            validBefore: BigInt(Date.UTC(2031, 0, 1) / 1000),
            defect: null,
          },
        });
        const printed = execFileSync('ssh-keygen', ['-L', '-f', file], { encoding: 'utf8' });
        expect(printed).toContain(`-CERT ${hostKey?.fingerprint}`);
        expect(printed).toContain(` ${hostKey?.certificate?.caFingerprint} `);
        for (let length = 0; length < blob.length; length += 1) {
          expect(readHostKey(blob.subarray(0, length))).toBeNull();
        }
      });
    },
  );

  test.skipIf(!hasSshKeygen).each([
    ['that is valid', ['-h', '-n', 'web1', '-V', valid], null],
    ['for ever', ['-h', '-n', 'web1'], null],
    ['that has expired', ['-h', '-n', 'web1', '-V', '20200101Z:20210101Z'], 'expired'],
    ['that is not yet valid', ['-h', '-n', 'web1', '-V', '20310101Z:20320101Z'], 'notYetValid'],
    ['for another host', ['-h', '-n', 'web2', '-V', valid], 'otherHost'],
    ['for no host', ['-h', '-V', valid], 'otherHost'],
    ['for a user', ['-n', 'web1', '-V', valid], 'userCertificate'],
    [
      'with a critical option',
      ['-h', '-n', 'web1', '-V', valid, '-O', 'critical:x@example.com=y'],
      'criticalOptions',
    ],
  ])('one %s', async (_what, options, problem) => {
    await inTemporaryFolder((folder) => {
      const [path, caPath] = [join(folder, 'host'), join(folder, 'ca')];
      makeKeyByOpenSsh(path, 'ed25519', '');
      makeKeyByOpenSsh(caPath, 'ed25519', '');
      const { blob } = certifyByOpenSsh(path, caPath, ['-I', 'rack', ...options]);
      const certificate = readHostKey(blob)?.certificate;
      expect.assert(certificate);
      expect(certificateProblem(certificate, 'web1', at)).toBe(problem);
    });
  });

  test.skipIf(!hasSshKeygen)('one with a name changed after it was signed', async () => {
    await inTemporaryFolder((folder) => {
      const [path, caPath] = [join(folder, 'host'), join(folder, 'ca')];
      makeKeyByOpenSsh(path, 'ed25519', '');
      makeKeyByOpenSsh(caPath, 'ed25519', '');
      const { blob } = certifyByOpenSsh(path, caPath, ['-h', '-I', 'rack', '-n', 'web1']);
      blob.write('web2', blob.indexOf('web1'));
      const certificate = readHostKey(blob)?.certificate;
      expect.assert(certificate);
      expect(certificate).toMatchObject({ principals: ['web2'], defect: 'badSignature' });
      expect(certificateProblem(certificate, 'web2', at)).toBe('badSignature');
    });
  });
});
