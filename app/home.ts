/**
 * A program's state directory: `$VMUX_HOME` or `$SIGNER_HOME`, 0700, with the event log, the
 * device's own certificate and, on the phone, the sealed keys.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  linkSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Trouble } from './trouble.ts';

export type Program = 'vmux' | 'signer';

const homes = {
  vmux: { variable: 'VMUX_HOME', folder: '.vmux' },
  signer: { variable: 'SIGNER_HOME', folder: '.remote-signer' },
} as const;

/** The path of the program's state directory, which need not exist. */
export function homeOf(program: Program): string {
  const { variable, folder } = homes[program];
  const named = process.env[variable];
  return named ? resolve(named) : join(homedir(), folder);
}

/**
 * Makes the directory if it is missing, and takes other people's permissions away if it has any.
 *
 * @throws {Trouble} `stateUnusable` when it is no directory, is another user's or is read-only.
 */
export function prepareHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(home);
    const mine = process.getuid?.();
    if (mine !== undefined && uid !== mine) {
      throw new Trouble('stateUnusable', `${home} belongs to another user`);
    }
    if ((mode & 0o077) !== 0) chmodSync(home, 0o700);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

/**
 * Writes a private file (0600) as a whole, if there is none of that name yet: whether it was this
 * process that made it. Two that begin at once agree on the file of the first.
 */
export function createPrivateFile(path: string, text: string): boolean {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(temporary, path);
    } finally {
      unlinkSync(temporary);
    }
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

/** The text of a file, or `null` when it does not exist. */
export function readPrivateFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}
