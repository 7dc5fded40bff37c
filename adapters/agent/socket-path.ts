import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { lstatSync, unlinkSync } from 'node:fs';
import { chmod, link, lstat, mkdir, realpath, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { once } from 'node:events';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * `inUse`: something listens there. `unusable`: what is there is no socket, or the system refused;
 * see the message.
 */
export type AgentSocketProblem =
  'directoryTooOpen' | 'notADirectory' | 'anotherUser' | 'inUse' | 'unusable';

export class AgentSocketError extends Error {
  override readonly name = 'AgentSocketError';
  readonly problem: AgentSocketProblem;
  /** The socket's, or its directory's where that is the trouble. */
  readonly path: string;

  constructor(problem: AgentSocketProblem, path: string, what: string) {
    super(`${path} ${what}`);
    this.problem = problem;
    this.path = path;
  }
}

export interface ClaimedPath {
  /** Removes the socket from the file system if it still is the one that was put there. */
  release(): void;
}

/** `sun_path` of sockaddr_un(7) less its final zero: 108 bytes on Linux, 104 on BSDs and macOS. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103;

/**
 * Lets `server` listen at `path`, as a socket of mode 0600. Its directory is made, 0700, when it
 * does not exist; otherwise it has to be this user's, with nothing for others. A dead socket is
 * replaced, whatever else is at `path` stays as it is. Rejects with `AgentSocketError`.
 *
 * Two programs that find the same dead socket in the same moment can both replace it; the first
 * one's listener is out of reach then. Where nothing was, one of them gets `inUse`.
 */
export async function claimSocketPath(server: Server, path: string): Promise<ClaimedPath> {
  const directory = await privateDirectory(dirname(resolve(path)));
  const final = join(directory, basename(path));
  // libuv unlinks the name that it has bound, whoever owns it by then. So it binds a passing one.
  const passing = join(directory, `.${randomBytes(4).toString('hex')}`);
  if (Math.max(Buffer.byteLength(final), Buffer.byteLength(passing)) > LONGEST_PATH) {
    throw new AgentSocketError('unusable', path, `is longer than ${LONGEST_PATH} bytes`);
  }
  await removeDeadSocket(final);
  try {
    server.listen(passing);
    await once(server, 'listening');
    await chmod(passing, 0o600);
    const { dev, ino } = await lstat(passing);
    await link(passing, final);
    await unlink(passing);
    return { release: () => removeSame(final, dev, ino) };
  } catch (error) {
    server.close();
    if (codeOf(error) === 'EEXIST') throw new AgentSocketError('inUse', path, 'is in use');
    throw systemRefused(path, error);
  }
}

/** The directory without symbolic links in its path. */
async function privateDirectory(wanted: string): Promise<string> {
  let directory: string;
  let stats;
  try {
    await mkdir(wanted, { recursive: true, mode: 0o700 });
    directory = await realpath(wanted);
    stats = await stat(directory);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new AgentSocketError('notADirectory', wanted, 'is not a directory');
    }
    throw systemRefused(wanted, error);
  }
  if (stats.uid !== process.getuid?.()) {
    throw new AgentSocketError('anotherUser', wanted, 'belongs to another user');
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new AgentSocketError(
      'directoryTooOpen',
      wanted,
      `is open to others: chmod 700 ${wanted}`,
    );
  }
  return directory;
}

async function removeDeadSocket(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isSocket()) throw new AgentSocketError('unusable', path, 'exists and is no socket');
    if (await isAnswered(path)) throw new AgentSocketError('inUse', path, 'is in use');
    removeSame(path, found.dev, found.ino);
  } catch (error) {
    if (error instanceof AgentSocketError) throw error;
    if (codeOf(error) !== 'ENOENT') throw systemRefused(path, error);
  }
}

/** Rejects when that cannot be told. */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ECONNREFUSED') return false;
    // Its queue of connections is full.
    if (code === 'EAGAIN') return true;
    throw error;
  } finally {
    socket.destroy();
  }
}

function removeSame(path: string, dev: number, ino: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.dev === dev && found.ino === ino) unlinkSync(path);
}

function systemRefused(path: string, error: unknown): AgentSocketError {
  return new AgentSocketError('unusable', path, `cannot be used (${codeOf(error) ?? 'unknown'})`);
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
