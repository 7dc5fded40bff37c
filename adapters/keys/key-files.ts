/**
 * Sealed keys on disk: `<state>/keys/SHA256-….json`, folder 0700, files 0600. Only sealed keys ever
 * touch the disk, temporary files included.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, mkdir, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprint } from './public-key.ts';
import {
  encodeSealedKey,
  openKey,
  readSealedKey,
  type OpenedKey,
  type SealedKey,
} from './sealed-key.ts';

/**
 * `missing`: no such file. `damaged`: a file that is not the intact sealed key of its name, or one
 * whose costs are refused. `unwritable`, `unreadable`: the file system refused, see `code`.
 */
export type KeyFileProblem = 'missing' | 'damaged' | 'unwritable' | 'unreadable';

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
  readonly problem: KeyFileProblem;
  /** The system's own error code, such as `EACCES` or `ENOSPC`, when there is one. */
  readonly code: string | null;

  constructor(problem: KeyFileProblem, code: string | null = null) {
    super(`sealed key ${problem}${code === null ? '' : ` (${code})`}`);
    this.problem = problem;
    this.code = code;
  }
}

const largestFile = 16 * 1024;
const fileName = /^SHA256-([A-Za-z0-9_-]{43})\.json$/;

/** Where the sealed key of this fingerprint is kept. Throws on what is no SHA-256 fingerprint. */
export function keyFilePath(stateDirectory: string, keyFingerprint: string): string {
  const name = `${keyFingerprint.replace(':', '-').replaceAll('+', '-').replaceAll('/', '_')}.json`;
  if (!fileName.test(name)) throw new TypeError('not a SHA256 fingerprint');
  return join(stateDirectory, 'keys', name);
}

/**
 * Writes the file whole or not at all, and durably; replaces the same key's earlier file. Resolves
 * to the fingerprint. Rejects with `KeyFileError` `unwritable`.
 */
export async function writeKeyFile(stateDirectory: string, sealed: SealedKey): Promise<string> {
  const keyFingerprint = fingerprint(Buffer.from(sealed.publicKey, 'base64'));
  await writeSealedText(stateDirectory, keyFingerprint, encodeSealedKey(sealed));
  return keyFingerprint;
}

/** The same for a key that was sealed elsewhere, in a form of its own. */
export async function writeSealedText(
  stateDirectory: string,
  keyFingerprint: string,
  text: string,
): Promise<void> {
  const path = keyFilePath(stateDirectory, keyFingerprint);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(join(stateDirectory, 'keys'), { recursive: true, mode: 0o700 });
    await chmod(join(stateDirectory, 'keys'), 0o700);
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(join(stateDirectory, 'keys'));
  } catch (error) {
    throw new KeyFileError('unwritable', codeOf(error));
  }
}

/** Rejects with `KeyFileError` `missing`, `damaged` or `unreadable`. */
export async function readKeyFile(
  stateDirectory: string,
  keyFingerprint: string,
): Promise<SealedKey> {
  const text = await readSmallFile(keyFilePath(stateDirectory, keyFingerprint));
  const sealed = text === null ? null : readSealedKey(text);
  if (sealed === null) throw new KeyFileError('damaged');
  if (fingerprint(Buffer.from(sealed.publicKey, 'base64')) !== keyFingerprint) {
    throw new KeyFileError('damaged');
  }
  return sealed;
}

/** `readKeyFile` and `openKey` in one, as the person's verification wants them. */
export async function openKeyFile(
  stateDirectory: string,
  keyFingerprint: string,
  passphrase: Uint8Array,
): Promise<OpenedKey | 'wrong'> {
  return openKey(await readKeyFile(stateDirectory, keyFingerprint), passphrase);
}

/** Unlinks the file, durably. Rejects with `KeyFileError` `missing` or `unwritable`. */
export async function removeKeyFile(stateDirectory: string, keyFingerprint: string): Promise<void> {
  try {
    await unlink(keyFilePath(stateDirectory, keyFingerprint));
    await syncFolder(join(stateDirectory, 'keys'));
  } catch (error) {
    const code = codeOf(error);
    throw code === 'ENOENT' ? new KeyFileError('missing') : new KeyFileError('unwritable', code);
  }
}

/** `null` for what is no regular file, or too long to be a sealed key. Follows no symbolic link. */
async function readSmallFile(path: string): Promise<string | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > largestFile) return null;
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ELOOP') return null;
    throw code === 'ENOENT' ? new KeyFileError('missing') : new KeyFileError('unreadable', code);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
