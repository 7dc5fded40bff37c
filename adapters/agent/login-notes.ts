/**
 * What ssh's KnownHostsCommand wrote down about a login: how the person named the server, which
 * neither the agent protocol nor the bytes to sign can say. One file a login, one field a line.
 */
import { Buffer } from 'node:buffer';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';

/** A claim of the process that wrote it: it proves nothing. */
export interface LoginNote {
  /** As typed (`%n`): foreign text, with no line break in it. */
  host: string;
  port: number;
  user: string;
  /** `SHA256:…` of the plain host key, also when the server showed a certificate for it. */
  hostKeyFingerprint: string;
  /** Two digits that the person may have seen in the terminal of that login. */
  code: string;
}

export interface LoginNotes {
  /**
   * The one note of a running ssh, at most two minutes old, that fits; it is consumed. `null` when
   * none does, and when several do: then nobody can say which it was, and all of them stay.
   */
  take(wanted: { hostKeyFingerprint: string; user: string }): LoginNote | null;
  /** Removes the notes whose ssh is gone, and whatever is older than two minutes. */
  sweep(): void;
}

const VERSION_LINE = 'vmux-login-note 1';
const LIFETIME = 120_000;
const LARGEST = 4096;

/**
 * The notes in `directory`, which need not exist. It has to be this user's with nothing for others,
 * and so has each file; what is not wholly a note is passed over. Never throws.
 *
 * `now` is in milliseconds since the epoch, as the file system's times are.
 */
export function readLoginNotes(directory: string, now: () => number = Date.now): LoginNotes {
  const names = (): string[] => {
    try {
      return isPrivate(lstatSync(directory)) ? readdirSync(directory) : [];
    } catch {
      return [];
    }
  };
  const isFresh = ({ mtimeMs }: Stats) => Math.abs(now() - mtimeMs) <= LIFETIME;
  const isOld = (path: string): boolean => {
    try {
      return !isFresh(lstatSync(path));
    } catch {
      return false;
    }
  };

  return {
    take({ hostKeyFingerprint, user }) {
      const fitting = names().flatMap((name) => {
        const path = join(directory, name);
        const file = readPrivateFile(path);
        const found = file !== null && isFresh(file.stats) ? readNote(file.bytes) : null;
        if (found === null || !isAlive(found.pid)) return [];
        const { note } = found;
        const fits = note.hostKeyFingerprint === hostKeyFingerprint && note.user === user;
        return fits ? [{ path, note }] : [];
      });
      const [only] = fitting;
      return only !== undefined && fitting.length === 1 && remove(only.path) ? only.note : null;
    },
    sweep() {
      for (const name of names()) {
        const path = join(directory, name);
        const file = readPrivateFile(path);
        const found = file === null ? null : readNote(file.bytes);
        // A file that is no note yet may be one in a moment: only its age ends it.
        const gone = found !== null && !isAlive(found.pid);
        if (gone || isOld(path)) remove(path);
      }
    },
  };
}

function isPrivate({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o077) === 0;
}

function readPrivateFile(path: string): { bytes: Buffer; stats: Stats } | null {
  let file: number;
  try {
    // O_NONBLOCK: a pipe of that name must not make us wait for its writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || !isPrivate(stats)) return null;
    const bytes = Buffer.alloc(LARGEST + 1);
    const length = readSync(file, bytes);
    return length > LARGEST ? null : { bytes: bytes.subarray(0, length), stats };
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}

function readNote(bytes: Uint8Array): { pid: number; note: LoginNote } | null {
  const text = readUtf8(bytes);
  if (text === null) return null;
  const lines = text.split('\n');
  if (lines.length !== 10 || lines[0] !== VERSION_LINE || lines[8] !== 'end' || lines[9] !== '') {
    return null;
  }
  const [, ssh = '', knownAs, host, port = '', user, hostKeyFingerprint = '', code = ''] = lines;
  const pid = readNumber(ssh, 2 ** 31 - 1);
  const portNumber = readNumber(port, 65_535);
  if (pid === null || portNumber === null || !knownAs || !host || !user) return null;
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(hostKeyFingerprint) || !/^\d\d$/.test(code)) return null;
  return { pid, note: { host, port: portNumber, user, hostKeyFingerprint, code } };
}

function readUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A decimal number from 1 to `max`, without sign, spaces or leading zeros. */
function readNumber(text: string, max: number): number | null {
  if (!/^[1-9]\d{0,9}$/.test(text)) return null;
  const number = Number(text);
  return number <= max ? number : null;
}

/** Whether the process runs and is ours: another user's is a new one that got the number. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether it was there and was removed by this call. */
function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
