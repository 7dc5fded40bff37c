import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isUnsupportedHostKey,
  readHostKey,
  unsupportedHostKeyType,
  verifyHostSignature,
} from '../../adapters/keys/host-key.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import { encodeMpint } from '../../adapters/wire/ssh-wire.ts';
import { wireReader } from '../../adapters/wire/wire-reader.ts';
import {
  certificateType,
  hostCertificate,
  hostKeyPair,
  hostKeyTypes,
  makeKeyByOpenSsh,
  publicBlobOfFile,
  type HostKeyType,
} from './host-key-examples.ts';
import {
  describeByOpenSsh,
  hasSshKeygen,
  inTemporaryFolder,
  sessionId,
  str,
  unlessSshKeygen,
} from './keys-examples.ts';

const pairs = Object.fromEntries(hostKeyTypes.map((type) => [type, hostKeyPair(type)])) as Record<
  HostKeyType,
  ReturnType<typeof hostKeyPair>
>;
const ca = pairs['ssh-ed25519'];
const rsa = pairs['ssh-rsa'];

function verified(keyBlob: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  const hostKey = readHostKey(keyBlob);
  expect.assert(hostKey !== null);
  return verifyHostSignature(hostKey, data, signature);
}

function rsaSigned(algorithm: string, hash: string): boolean {
  return verified(rsa.blob, sessionId, rsa.sign(sessionId, { algorithm, hash }));
}

const rsaKey = (exponent: Buffer, n: Buffer) =>
  Buffer.concat([str('ssh-rsa'), encodeMpint(exponent), encodeMpint(n)]);
const p256Key = (point: Uint8Array, curve = 'nistp256') =>
  Buffer.concat([str('ecdsa-sha2-nistp256'), str(curve), str(point)]);

const ofType = (type: Uint8Array | string, after = str('something')) =>
  Buffer.concat([str(type), after]);

describe.each(hostKeyTypes)('%s', (keyType) => {
  const pair = pairs[keyType];
  const certified = hostCertificate(pair, ca);
  const signature = pair.sign(sessionId);

  test('is read, with its fingerprint', () => {
    expect(readHostKey(pair.blob)).toEqual({
      keyType,
      keyBlob: pair.blob,
      fingerprint: fingerprint(pair.blob),
      certificate: null,
    });
    expect(isUnsupportedHostKey(pair.blob)).toBe(false);
  });

  test('inside a certificate is read as the same key', () => {
    expect(readHostKey(certified)).toMatchObject({
      keyType,
      keyBlob: pair.blob,
      fingerprint: fingerprint(pair.blob),
      certificate: { caFingerprint: fingerprint(ca.blob), defect: null },
    });
    expect(isUnsupportedHostKey(certified)).toBe(false);
  });

  test('signs, also when it was shown as a certificate', () => {
    expect(verified(pair.blob, sessionId, signature)).toBe(true);
    expect(verified(certified, sessionId, signature)).toBe(true);
  });

  test('has not signed other data', () => {
    expect(verified(pair.blob, Buffer.alloc(32), signature)).toBe(false);
    expect(verified(pair.blob, sessionId.subarray(1), signature)).toBe(false);
  });

  test('has not signed what another key of its type has', () => {
    expect(verified(pair.blob, sessionId, hostKeyPair(keyType).sign(sessionId))).toBe(false);
  });

  test('has not signed what a key of any other type has', () => {
    for (const other of hostKeyTypes.filter((type) => type !== keyType)) {
      expect(verified(pair.blob, sessionId, pairs[other].sign(sessionId))).toBe(false);
    }
  });

  test('every truncation of its blob and of its certificate is refused', () => {
    for (const blob of [pair.blob, certified]) {
      for (let length = 0; length < blob.length; length += 1) {
        const cut = blob.subarray(0, length);
        expect(readHostKey(cut)).toBeNull();
        expect(isUnsupportedHostKey(cut)).toBe(false);
      }
    }
  });

  test('every truncation of its signature, and any trailing byte, is refused', () => {
    for (let length = 0; length < signature.length; length += 1) {
      expect(verified(pair.blob, sessionId, signature.subarray(0, length))).toBe(false);
    }
    const longer = Buffer.concat([signature, Buffer.of(0)]);
    expect(verified(pair.blob, sessionId, longer)).toBe(false);
    expect(readHostKey(Buffer.concat([pair.blob, Buffer.of(0)]))).toBeNull();
    expect(readHostKey(Buffer.concat([certified, Buffer.of(0)]))).toBeNull();
  });

  test('a signature with any byte changed is refused', () => {
    for (let at = 0; at < signature.length; at += 1) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      expect(verified(pair.blob, sessionId, changed)).toBe(false);
    }
  });

  test('a blob with any byte changed never throws, and has not signed', () => {
    fc.assert(
      fc.property(
        fc.nat(pair.blob.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ maxLength: 80 }),
        (at, by, noise) => {
          const changed = Buffer.from(pair.blob);
          changed[at] = (changed[at] ?? 0) ^ by;
          const hostKey = readHostKey(changed);
          if (hostKey === null) return;
          expect(hostKey.keyBlob).toEqual(changed);
          expect(verifyHostSignature(hostKey, sessionId, signature)).toBe(false);
          expect(verifyHostSignature(hostKey, sessionId, noise)).toBe(false);
        },
      ),
    );
  });
});

describe('signatures that do not count', () => {
  test('RSA with SHA-1, under its own name or a better one', () => {
    for (const algorithm of ['ssh-rsa', 'rsa-sha2-256', 'rsa-sha2-512']) {
      const signature = rsa.sign(sessionId, { algorithm, hash: 'sha1' });
      expect(verified(rsa.blob, sessionId, signature)).toBe(false);
    }
  });

  test('RSA counts with SHA-256 and SHA-512, each under its own name only', () => {
    expect(rsaSigned('rsa-sha2-256', 'sha256')).toBe(true);
    expect(rsaSigned('rsa-sha2-512', 'sha512')).toBe(true);
    expect(rsaSigned('rsa-sha2-256', 'sha512')).toBe(false);
    expect(rsaSigned('rsa-sha2-512', 'sha256')).toBe(false);
    expect(rsaSigned('rsa-sha2-512-cert-v01@openssh.com', 'sha512')).toBe(false);
  });

  test('an RSA value that is longer or shorter than the modulus', () => {
    const reader = wireReader(rsa.sign(sessionId));
    reader.text();
    const value = reader.string() ?? Buffer.alloc(0);
    const signed = (bytes: Uint8Array) =>
      verified(rsa.blob, sessionId, Buffer.concat([str('rsa-sha2-256'), str(bytes)]));
    expect(signed(value)).toBe(true);
    expect(signed(Buffer.concat([Buffer.of(0), value]))).toBe(false);
    expect(signed(value.subarray(1))).toBe(false);
    expect(signed(Buffer.alloc(0))).toBe(false);
  });

  test.each([
    ['ecdsa-sha2-nistp256', 'sha384'],
    ['ecdsa-sha2-nistp384', 'sha256'],
    ['ecdsa-sha2-nistp521', 'sha256'],
  ] as const)('%s with %s', (keyType, hash) => {
    const pair = pairs[keyType];
    expect(verified(pair.blob, sessionId, pair.sign(sessionId, { hash }))).toBe(false);
  });

  test.each([
    ['ssh-ed25519', 'ecdsa-sha2-nistp256'],
    ['ssh-ed25519', 'ssh-ed25519-cert-v01@openssh.com'],
    ['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384'],
    ['sk-ecdsa-sha2-nistp256@openssh.com', 'ecdsa-sha2-nistp256'],
    ['sk-ecdsa-sha2-nistp256@openssh.com', 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com'],
  ] as const)('one of %s that is named %s', (keyType, algorithm) => {
    const pair = pairs[keyType];
    expect(verified(pair.blob, sessionId, pair.sign(sessionId, { algorithm }))).toBe(false);
  });

  test('ECDSA of zeros, and of numbers that are not in their only form', () => {
    const pair = pairs['ecdsa-sha2-nistp256'];
    const signed = (value: Buffer) =>
      verified(pair.blob, sessionId, Buffer.concat([str('ecdsa-sha2-nistp256'), str(value)]));
    const reader = wireReader(pair.sign(sessionId));
    reader.text();
    const rs = wireReader(reader.string() ?? Buffer.alloc(0));
    const r = rs.mpint() ?? Buffer.alloc(0);
    const s = rs.mpint() ?? Buffer.alloc(0);
    const padded = str(Buffer.concat([Buffer.of(0, 0), r]));
    expect(signed(Buffer.concat([encodeMpint(r), encodeMpint(s)]))).toBe(true);
    expect(signed(Buffer.concat([padded, encodeMpint(s)]))).toBe(false);
    expect(signed(Buffer.concat([encodeMpint(r), encodeMpint(s), Buffer.of(0)]))).toBe(false);
    expect(signed(Buffer.concat([str(''), str('')]))).toBe(false);
    expect(signed(Buffer.concat([encodeMpint(Buffer.alloc(33, 1)), encodeMpint(s)]))).toBe(false);
  });

  test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)(
    '%s without a touch, or for another application',
    (keyType) => {
      const pair = pairs[keyType];
      const signed = (changes: object) =>
        verified(pair.blob, sessionId, pair.sign(sessionId, changes));
      expect(signed({ flags: 0x05 })).toBe(true);
      expect(signed({ flags: 0 })).toBe(false);
      expect(signed({ flags: 0x04 })).toBe(false);
      expect(signed({ application: 'ssh:' })).toBe(false);
    },
  );

  test('one of a security key without its flags and counter', () => {
    const pair = pairs['sk-ssh-ed25519@openssh.com'];
    expect(verified(pair.blob, sessionId, pair.sign(sessionId).subarray(0, -5))).toBe(false);
  });
});

describe('keys that are not read', () => {
  const ed25519 = pairs['ssh-ed25519'];
  const nistp256 = pairs['ecdsa-sha2-nistp256'];
  const modulus = Buffer.alloc(256, 0xff);
  const point = nistp256.blob.subarray(-65);

  test('the RSA key that the next ones differ from is read', () => {
    expect(readHostKey(rsaKey(Buffer.of(3), modulus))).not.toBeNull();
  });

  test.each([
    ['an RSA key of 1024 bits', hostKeyPair('ssh-rsa', 1024).blob],
    ['an RSA modulus of 2047 bits', rsaKey(Buffer.of(3), Buffer.alloc(256, 0x7f))],
    ['an RSA modulus of 16 385 bits', rsaKey(Buffer.of(3), Buffer.alloc(2049, 1))],
    ['an even RSA modulus', rsaKey(Buffer.of(3), Buffer.alloc(256, 0xfe))],
    ['an RSA exponent of 0', rsaKey(Buffer.alloc(0), modulus)],
    ['an RSA exponent of 1', rsaKey(Buffer.of(1), modulus)],
    ['an even RSA exponent', rsaKey(Buffer.of(4), modulus)],
    ['an RSA exponent of 65 bits', rsaKey(Buffer.of(1, 0, 0, 0, 0, 0, 0, 0, 1), modulus)],
    [
      'an RSA exponent with a needless zero',
      Buffer.concat([str('ssh-rsa'), str(Buffer.of(0, 3)), encodeMpint(modulus)]),
    ],
    ['an Ed25519 key of 31 bytes', Buffer.concat([str('ssh-ed25519'), str(Buffer.alloc(31, 1))])],
    ['a point off the curve', p256Key(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)]))],
    ['a compressed point', p256Key(Buffer.concat([Buffer.of(2), point.subarray(1, 33)]))],
    [
      'a compressed point of full length',
      p256Key(Buffer.concat([Buffer.of(2), point.subarray(1)])),
    ],
    ['another curve than the type names', p256Key(point, 'nistp384')],
    ['an Ed25519 key under the name of ECDSA', renamed(ed25519.blob, 'ecdsa-sha2-nistp256')],
    ['a security key without application', renamed(ed25519.blob, 'sk-ssh-ed25519@openssh.com')],
    [
      'a plain key under the name of its certificate',
      renamed(ed25519.blob, certificateType('ssh-ed25519')),
    ],
    ['nothing', Buffer.alloc(0)],
    ['a type name alone', str('ssh-ed25519')],
  ])('%s, and it does not pass as unsupported', (_what, blob) => {
    expect(readHostKey(blob)).toBeNull();
    expect(isUnsupportedHostKey(blob)).toBe(false);
  });

  test('a certificate of more than 16 KiB', () => {
    const principals = Array.from({ length: 250 }, () => 'a'.repeat(64));
    const blob = hostCertificate(ed25519, ca, { principals });
    expect(blob.length).toBeGreaterThan(16 * 1024);
    expect(readHostKey(blob)).toBeNull();
    expect(isUnsupportedHostKey(blob)).toBe(false);
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readHostKey(bytes)).toBeNull();
        expect(() => isUnsupportedHostKey(bytes)).not.toThrow();
      }),
    );
  });
});

describe('keys of a type that cannot be checked here', () => {
  test.each(['ssh-dss', 'ssh-ed448', 'ssh-mldsa-65@example.com', 'ssh-dss-cert-v01@openssh.com'])(
    '%s is unsupported, and named',
    (keyType) => {
      const blob = ofType(keyType);
      expect(readHostKey(blob)).toBeNull();
      expect(isUnsupportedHostKey(blob)).toBe(true);
      expect(unsupportedHostKeyType(blob)).toBe(keyType);
    },
  );

  test.each([
    ['without a name', ofType('')],
    ['with a space in its name', ofType('ssh ed448')],
    ['with a name of 65 letters', ofType('a'.repeat(65))],
    ['with a name that is not ASCII', ofType('clé')],
    ['with a name that is not UTF-8', ofType(Buffer.of(0x72, 0xff))],
    ['with nothing after its name', ofType('ssh-ed448', Buffer.alloc(0))],
    ['whose first field is cut short', ofType('ssh-ed448', Buffer.of(0, 0, 0, 9, 1))],
    ['of more than 16 KiB', ofType('ssh-ed448', str(Buffer.alloc(16 * 1024)))],
  ])('one %s is malformed', (_what, blob) => {
    expect(isUnsupportedHostKey(blob)).toBe(false);
  });
});

describe(`keys made by OpenSSH${unlessSshKeygen}`, () => {
  test.skipIf(!hasSshKeygen).each([
    ['ed25519', ''],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
    ['rsa', '3072'],
  ] as const)(
    'an %s key (%s) has the fingerprint that ssh-keygen prints, and what ssh-keygen signs with it verifies',
    async (type, bits) => {
      await inTemporaryFolder((folder) => {
        const path = join(folder, 'host');
        makeKeyByOpenSsh(path, type, bits);
        const hostKey = readHostKey(publicBlobOfFile(`${path}.pub`));
        expect.assert(hostKey !== null);
        expect(describeByOpenSsh(`${path}.pub`).split(' ')[1]).toBe(hostKey.fingerprint);

        const message = join(folder, 'message');
        writeFileSync(message, sessionId);
        execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', path, '-n', 'file', message], {
          stdio: 'pipe',
        });
        const { signed, signature } = readSshsig(`${message}.sig`, sessionId);
        expect(verifyHostSignature(hostKey, signed, signature)).toBe(true);
        expect(verifyHostSignature(hostKey, sessionId, signature)).toBe(false);
      });
    },
  );
});

function renamed(blob: Uint8Array, type: string): Buffer {
  const reader = wireReader(blob);
  const from = 4 + (reader.string()?.length ?? 0);
  return Buffer.concat([str(type), blob.subarray(from)]);
}

/** The signature inside an armored SSHSIG (PROTOCOL.sshsig), and the bytes that it is over. */
function readSshsig(path: string, message: Uint8Array) {
  const armored = readFileSync(path, 'utf8').replace(/-----.*-----/g, '');
  const reader = wireReader(Buffer.from(armored, 'base64'));
  reader.raw('SSHSIG'.length + 4);
  reader.string();
  const namespace = reader.text() ?? '';
  reader.string();
  const hash = reader.text() ?? '';
  const signature = reader.string() ?? Buffer.alloc(0);
  const digest = createHash(hash).update(message).digest();
  const signed = ['SSHSIG', str(namespace), str(''), str(hash), str(digest)];
  return { signature, signed: Buffer.concat(signed.map((part) => Buffer.from(part as Buffer))) };
}
