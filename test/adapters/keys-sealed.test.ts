import { Buffer } from 'node:buffer';
import { Decipheriv, ECDH, createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  KeyFileError,
  keyFilePath,
  openKeyFile,
  readKeyFile,
  removeKeyFile,
  writeKeyFile,
} from '../../adapters/keys/key-files.ts';
import { generateP256Key, verifySignature } from '../../adapters/keys/p256.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import {
  createSealedKey,
  encodeSealedKey,
  openKey,
  readSealedKey,
  sealKey,
  type SealedKey,
} from '../../adapters/keys/sealed-key.ts';
import { inTemporaryFolder, key, login } from './keys-examples.ts';

const passphrase = Buffer.from('correct horse ✓');
const own = fingerprint(key.publicKey);
const sealed = await sealKey(key, passphrase);

/** A changed key as someone who knows the format would write it: with the right checksum. */
function forged(changes: (draft: SealedKey) => void): string {
  const draft = structuredClone(sealed);
  changes(draft);
  const { kdf } = draft;
  const covered = [
    draft.format,
    draft.v,
    [kdf.name, kdf.N, kdf.r, kdf.p, kdf.salt],
    draft.cipher,
    draft.iv,
    draft.publicKey,
    draft.sealed,
  ];
  draft.checksum = createHash('sha256').update(JSON.stringify(covered)).digest('hex');
  return encodeSealedKey(draft);
}

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect.assert(error instanceof KeyFileError);
  return `${error.problem} ${error.code}`;
}

describe('a sealed key', () => {
  test('says how it is sealed, and holds nothing in the clear', () => {
    expect(sealed).toEqual({
      format: 'vmux-sealed-p256',
      v: 1,
      kdf: { name: 'scrypt', N: 131072, r: 8, p: 1, salt: expect.any(String) },
      cipher: 'aes-256-gcm',
      iv: expect.any(String),
      publicKey: key.publicKey.toString('base64'),
      sealed: expect.any(String),
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const text = encodeSealedKey(sealed);
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(text).not.toContain(key.scalar.toString(encoding).replace(/=+$/, ''));
      expect(text).not.toContain(passphrase.toString(encoding).replace(/=+$/, ''));
    }
  });

  test('opens for exactly one signature', async () => {
    const opened = await openKey(sealed, passphrase);
    expect.assert(opened !== 'wrong');
    const signature = opened.sign(login());
    expect(verifySignature(key.publicKey, login(), signature)).toBe(true);
    expect(() => opened.sign(login())).toThrow('the key is closed');
  });

  test('that was closed signs nothing', async () => {
    const opened = await openKey(sealed, passphrase);
    expect.assert(opened !== 'wrong');
    opened.close();
    opened.close();
    expect(() => opened.sign(login())).toThrow('the key is closed');
  });

  test('leaves zeros where the private key was, signed or closed or wrong', async () => {
    const unsealed = vi.spyOn(Decipheriv.prototype, 'update');
    const allocated = vi.spyOn(Buffer, 'alloc');
    try {
      const [signed, closed] = [
        await openKey(sealed, passphrase),
        await openKey(sealed, passphrase),
      ];
      expect(await openKey(sealed, Buffer.from('wrong'))).toBe('wrong');
      expect.assert(signed !== 'wrong' && closed !== 'wrong');
      const scalars = unsealed.mock.results.map(({ value }) => value as Buffer);
      expect(scalars).toEqual([key.scalar, key.scalar, Buffer.alloc(32)]);
      signed.sign(login());
      closed.close();
      expect(scalars).toEqual([Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(32)]);
      const made = allocated.mock.results.map(({ value }) => value as Buffer);
      expect(made.some((buffer) => buffer.length === 138)).toBe(true);
      expect(made.filter((buffer) => buffer.includes(key.scalar))).toEqual([]);
    } finally {
      unsealed.mockRestore();
      allocated.mockRestore();
    }
  });

  test('leaves zeros where the new private key was, once it is created', async () => {
    const generated = vi.spyOn(ECDH.prototype, 'getPrivateKey');
    const allocated = vi.spyOn(Buffer, 'alloc');
    try {
      await createSealedKey(passphrase);
      const made = [...generated.mock.results, ...allocated.mock.results].map(
        ({ value }) => value as Buffer,
      );
      const scalars = made.filter(({ length }) => length > 16 && length <= 32);
      expect(scalars).toHaveLength(2);
      expect(scalars.flatMap((scalar) => [...scalar]).every((byte) => byte === 0)).toBe(true);
    } finally {
      generated.mockRestore();
      allocated.mockRestore();
    }
  });

  test('gives a verdict on a wrong passphrase, and on none', async () => {
    expect(await openKey(sealed, Buffer.from('correct horse'))).toBe('wrong');
    expect(await openKey(sealed, Buffer.alloc(0))).toBe('wrong');
    await expect(sealKey(key, Buffer.alloc(0))).rejects.toThrow('empty passphrase');
  });

  test('is bound to its public key', async () => {
    const other = generateP256Key().publicKey.toString('base64');
    const read = readSealedKey(forged((draft) => void (draft.publicKey = other)));
    expect.assert(read !== null);
    expect(await openKey(read, passphrase)).toBe('wrong');
  });

  test('does not hold up the event loop while it is opened', async () => {
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    await openKey(sealed, Buffer.from('wrong'));
    clearInterval(counting);
    expect(turns).toBeGreaterThan(0);
  });

  test('is new, sealed under a salt of its own, each time one is created', async () => {
    const created = await createSealedKey(passphrase);
    expect(created.publicKey).not.toBe(sealed.publicKey);
    expect(created.kdf.salt).not.toBe(sealed.kdf.salt);
    expect(created.iv).not.toBe(sealed.iv);
    expect(readSealedKey(encodeSealedKey(created))).toEqual(created);
  });

  test('with any one byte changed or cut off is no sealed key', () => {
    const text = encodeSealedKey(sealed);
    const content = text.trimEnd();
    for (let at = 0; at < content.length; at += 1) {
      expect(readSealedKey(content.slice(0, at))).toBeNull();
      const code = content.charCodeAt(at) ^ 1;
      const changed = content.slice(0, at) + String.fromCharCode(code) + content.slice(at + 1);
      if (!/^\s*$/.test(content.charAt(at))) expect(readSealedKey(changed)).toBeNull();
    }
  });

  test.each([
    ['a cost below 2^17', forged((draft) => void (draft.kdf.N = 2 ** 16))],
    ['a cost of 2^30', forged((draft) => void (draft.kdf.N = 2 ** 30))],
    ['a cost that is no power of two', forged((draft) => void (draft.kdf.N = 2 ** 17 + 2))],
    ['another r', forged((draft) => void ((draft.kdf as { r: number }).r = 1024))],
    ['another p', forged((draft) => void ((draft.kdf as { p: number }).p = 1000))],
    ['another version', forged((draft) => void ((draft as { v: number }).v = 2))],
    ['a short salt', forged((draft) => void (draft.kdf.salt = 'AAAA'))],
    ['a short tag', forged((draft) => void (draft.sealed = draft.sealed.slice(0, 60)))],
    ['a public key that is none', forged((draft) => void (draft.publicKey = 'AAAA'))],
    ['a member more', encodeSealedKey({ ...sealed, more: 1 } as SealedKey)],
    ['a list', '[]'],
    ['nothing', ''],
  ])('with %s is refused', (_what, text) => {
    expect(readSealedKey(text)).toBeNull();
  });
});

describe('key files', () => {
  test('are written for their owner only, found again and removed', async () => {
    await inTemporaryFolder(async (state) => {
      expect(await writeKeyFile(state, sealed)).toBe(own);
      const path = keyFilePath(state, own);
      expect(statSync(join(state, 'keys')).mode & 0o777).toBe(0o700);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(join(state, 'keys'))).toHaveLength(1);
      expect(await readKeyFile(state, own)).toEqual(sealed);
      await removeKeyFile(state, own);
      expect(existsSync(path)).toBe(false);
    });
  });

  test('open by fingerprint and passphrase', async () => {
    await inTemporaryFolder(async (state) => {
      await writeKeyFile(state, sealed);
      const opened = await openKeyFile(state, own, passphrase);
      expect.assert(opened !== 'wrong');
      opened.close();
      expect(await openKeyFile(state, own, Buffer.from('wrong'))).toBe('wrong');
    });
  });

  test('are written anew in one step, and a folder that was too open is closed', async () => {
    await inTemporaryFolder(async (state) => {
      mkdirSync(join(state, 'keys'), { mode: 0o755 });
      chmodSync(join(state, 'keys'), 0o755);
      await writeKeyFile(state, sealed);
      const again = await sealKey(key, Buffer.from('another passphrase'));
      await writeKeyFile(state, again);
      expect(statSync(join(state, 'keys')).mode & 0o777).toBe(0o700);
      expect(await readKeyFile(state, own)).toEqual(again);
      expect(readdirSync(join(state, 'keys'))).toHaveLength(1);
    });
  });

  test('that are missing, damaged or of another key are told apart', async () => {
    await inTemporaryFolder(async (state) => {
      expect(await problemOf(readKeyFile(state, own))).toBe('missing null');
      expect(await problemOf(removeKeyFile(state, own))).toBe('missing null');
      await writeKeyFile(state, sealed);
      const path = keyFilePath(state, own);
      const text = readFileSync(path, 'utf8');
      for (const damaged of ['', text.slice(0, -3), text.replace('"sealed"', '"sealex"')]) {
        writeFileSync(path, damaged);
        expect(await problemOf(readKeyFile(state, own))).toBe('damaged null');
        expect(await problemOf(openKeyFile(state, own, passphrase))).toBe('damaged null');
      }
      const other = `SHA256:${'A'.repeat(43)}`;
      writeFileSync(keyFilePath(state, other), text);
      expect(await problemOf(readKeyFile(state, other))).toBe('damaged null');
    });
  });

  test('that are a link, a folder or far too long are damaged', async () => {
    await inTemporaryFolder(async (state) => {
      mkdirSync(join(state, 'keys'));
      const path = keyFilePath(state, own);
      symlinkSync('/dev/zero', path);
      expect(await problemOf(readKeyFile(state, own))).toBe('damaged null');
      await removeKeyFile(state, own);
      writeFileSync(path, encodeSealedKey(sealed) + ' '.repeat(20_000));
      expect(await problemOf(readKeyFile(state, own))).toBe('damaged null');
      await removeKeyFile(state, own);
      mkdirSync(path);
      expect(await problemOf(readKeyFile(state, own))).toBe('damaged null');
    });
  });

  test('that cannot be written say so, and leave nothing behind', async () => {
    await inTemporaryFolder(async (state) => {
      writeFileSync(join(state, 'keys'), 'a file where the folder should be');
      expect(await problemOf(writeKeyFile(state, sealed))).toBe('unwritable EEXIST');
    });
    await inTemporaryFolder(async (state) => {
      mkdirSync(keyFilePath(state, own), { recursive: true });
      expect(await problemOf(writeKeyFile(state, sealed))).toBe('unwritable EISDIR');
      expect(readdirSync(join(state, 'keys'))).toHaveLength(1);
    });
  });

  test('are named by SHA-256 fingerprints and by nothing else', () => {
    const encoded = `SHA256:${'+/'.repeat(21)}A`;
    expect(keyFilePath('/state', encoded)).toBe(`/state/keys/SHA256-${'-_'.repeat(21)}A.json`);
    for (const wrong of ['', '../../etc/passwd', `MD5:${'A'.repeat(43)}`, `${own}/x`]) {
      expect(() => keyFilePath('/state', wrong)).toThrow('not a SHA256 fingerprint');
    }
  });
});
