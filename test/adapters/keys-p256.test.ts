import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { createECDH, createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateP256Key, signWithP256, verifySignature } from '../../adapters/keys/p256.ts';
import {
  fingerprint,
  pointOf,
  publicIdentity,
  publicKeyLine,
  readPublicKey,
} from '../../adapters/keys/public-key.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import {
  describeByOpenSsh,
  hasSshKeygen,
  inTemporaryFolder,
  key,
  login,
  sshsig,
  str,
  u32,
  unlessSshKeygen,
} from './keys-examples.ts';

const challenge = login();
const signature = signWithP256(key, challenge);
const order = Buffer.from(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'hex',
);

function signatureOf(r: Uint8Array, s: Uint8Array, algorithm = 'ecdsa-sha2-nistp256'): Buffer {
  return Buffer.concat([str(algorithm), str(Buffer.concat([str(r), str(s)]))]);
}

describe('a P-256 key', () => {
  test('is a scalar of 32 bytes and the public key that belongs to it', () => {
    const { scalar, publicKey } = generateP256Key();
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(scalar);
    expect(scalar).toHaveLength(32);
    expect(pointOf(publicKey)).toEqual(ecdh.getPublicKey());
  });

  test('with leading zeros in its scalar signs as any other', () => {
    const ecdh = createECDH('prime256v1');
    const scalar = Buffer.alloc(32);
    scalar[31] = 3;
    ecdh.setPrivateKey(scalar);
    const publicKey = Buffer.concat([
      str('ecdsa-sha2-nistp256'),
      str('nistp256'),
      str(ecdh.getPublicKey()),
    ]);
    expect(
      verifySignature(publicKey, challenge, signWithP256({ scalar, publicKey }, challenge)),
    ).toBe(true);
  });

  test('has a blob with nothing else in it, and a point on the curve', () => {
    expect(readPublicKey(key.publicKey)).not.toBeNull();
    for (let length = 0; length < key.publicKey.length; length += 1) {
      expect(pointOf(key.publicKey.subarray(0, length))).toBeNull();
    }
    expect(pointOf(Buffer.concat([key.publicKey, Buffer.of(0)]))).toBeNull();
    const offCurve = Buffer.from(key.publicKey);
    offCurve.fill(1, offCurve.length - 64);
    expect(readPublicKey(offCurve)).toBeNull();
    expect(verifySignature(offCurve, challenge, signature)).toBe(false);
  });

  test('has one line for authorized_keys, whatever its label holds', () => {
    const identity = publicIdentity(key.publicKey, 'my\nssh-rsa AAAA\u{2028} phone\0');
    expect(publicKeyLine(identity)).toBe(
      `ecdsa-sha2-nistp256 ${key.publicKey.toString('base64')} my ssh-rsa AAAA phone`,
    );
    expect(publicKeyLine({ ...identity, label: ' ' })).toBe(
      `ecdsa-sha2-nistp256 ${key.publicKey.toString('base64')}`,
    );
  });
});

describe('a signature', () => {
  test('verifies over its own bytes with its own key, and over nothing else', () => {
    expect(verifySignature(key.publicKey, challenge, signature)).toBe(true);
    expect(verifySignature(key.publicKey, login({ user: 'root' }), signature)).toBe(false);
    expect(verifySignature(generateP256Key().publicKey, challenge, signature)).toBe(false);
  });

  test('is refused when anything in it is cut off, added or flipped', () => {
    for (let length = 0; length < signature.length; length += 1) {
      expect(verifySignature(key.publicKey, challenge, signature.subarray(0, length))).toBe(false);
      const flipped = Buffer.from(signature);
      flipped[length] = (flipped[length] ?? 0) ^ 1;
      expect(verifySignature(key.publicKey, challenge, flipped)).toBe(false);
    }
    const longer = Buffer.concat([signature, Buffer.of(0)]);
    expect(verifySignature(key.publicKey, challenge, longer)).toBe(false);
  });

  test.each([
    ['zeros', signatureOf(Buffer.alloc(0), Buffer.alloc(0))],
    ['a needless leading zero', signatureOf(Buffer.of(0, 1), Buffer.of(1))],
    ['a negative number', signatureOf(Buffer.of(0x80), Buffer.of(1))],
    ['the order of the curve', signatureOf(Buffer.concat([Buffer.of(0), order]), Buffer.of(1))],
    ['33 bytes', signatureOf(Buffer.alloc(33, 1), Buffer.of(1))],
    ['another algorithm', Buffer.concat([str('ssh-ed25519'), signature.subarray(23)])],
    [
      'a third number',
      Buffer.concat([
        str('ecdsa-sha2-nistp256'),
        str(Buffer.concat([str(Buffer.of(1)), str(Buffer.of(1)), u32(0)])),
      ]),
    ],
  ])('made of %s is refused', (_what, forged) => {
    expect(verifySignature(key.publicKey, challenge, forged)).toBe(false);
  });
});

describe(`beside OpenSSH${unlessSshKeygen}`, () => {
  test.skipIf(!hasSshKeygen)('ssh-keygen -l reads the public key and its fingerprint', async () => {
    await inTemporaryFolder((folder) => {
      const path = join(folder, 'id.pub');
      writeFileSync(path, `${publicKeyLine(publicIdentity(key.publicKey, 'my phone'))}\n`);
      expect(describeByOpenSsh(path)).toBe(`256 ${fingerprint(key.publicKey)} my phone (ECDSA)`);
    });
  });

  test.skipIf(!hasSshKeygen)('ssh-keygen -Y check-novalidate takes our signature', async () => {
    await inTemporaryFolder((folder) => {
      const digest = createHash('sha512').update('the message\n').digest();
      const signed = signWithP256(key, sshsig({ namespace: 'file', hash: 'sha512', digest }));
      const path = join(folder, 'message.sig');
      writeFileSync(path, armoured(key.publicKey, 'file', 'sha512', signed));
      const check = (message: string) =>
        spawnSync('ssh-keygen', ['-Y', 'check-novalidate', '-n', 'file', '-s', path], {
          input: message,
          encoding: 'utf8',
        });
      const good = check('the message\n');
      expect(good.stdout).toBe(
        `Good "file" signature with ECDSA key ${fingerprint(key.publicKey)}\n`,
      );
      expect(good.status).toBe(0);
      expect(check('another message\n').status).not.toBe(0);
    });
  });

  test.skipIf(!hasSshKeygen)('a signature by ssh-keygen -Y sign verifies with ours', async () => {
    await inTemporaryFolder((folder) => {
      const id = join(folder, 'id');
      const message = join(folder, 'message');
      writeFileSync(message, 'the message\n');
      sshKeygen(['-q', '-t', 'ecdsa', '-b', '256', '-N', '', '-f', id]);
      sshKeygen(['-Y', 'sign', '-n', 'git', '-f', id, message]);
      const { publicKey, signature: made } = unarmoured(readFileSync(`${message}.sig`, 'utf8'));
      const digest = createHash('sha512').update('the message\n').digest();
      const signed = sshsig({ hash: 'sha512', digest });
      expect(readSignData(signed)).toMatchObject({ kind: 'sshsig', namespace: 'git' });
      expect(verifySignature(publicKey, signed, made)).toBe(true);
      expect(describeByOpenSsh(`${id}.pub`)).toContain(fingerprint(publicKey));
    });
  });
});

/** PROTOCOL.sshsig §3: the armoured file. */
function armoured(publicKey: Buffer, namespace: string, hash: string, made: Buffer): string {
  const blob = Buffer.concat([
    Buffer.from('SSHSIG'),
    u32(1),
    str(publicKey),
    str(namespace),
    str(''),
    str(hash),
    str(made),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

function unarmoured(text: string): { publicKey: Buffer; signature: Buffer } {
  const blob = Buffer.from(text.replace(/-----.*-----/g, ''), 'base64');
  const fields: Buffer[] = [];
  for (let at = 10; at < blob.length;) {
    const end = at + 4 + blob.readUInt32BE(at);
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  const [publicKey, , , , signature] = fields;
  expect.assert(publicKey !== undefined && signature !== undefined);
  return { publicKey, signature };
}

function sshKeygen(options: string[]): void {
  execFileSync('ssh-keygen', options, { stdio: 'pipe' });
}
