import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = '/usr/sbin/sshd';

/** This machine has OpenSSH's server and tools; what needs them is skipped otherwise. */
export const hasSshd = existsSync(program) && spawnSync('ssh-keygen', ['-?']).error === undefined;

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface SshdOptions {
  /** Key types to make host keys of; `ed25519` alone by default. */
  hostKeyTypes?: HostKeyType[];
  /** Lines of authorized_keys. */
  authorizedKeys?: string[];
  /** Lines of sshd_config; they win over the defaults below. */
  config?: string[];
  /** `127.0.0.1` by default. */
  address?: string;
  /** A free port by default. */
  port?: number;
  /** Run in front of sshd, such as `['ip', 'netns', 'exec', 'server']`. */
  prefix?: string[];
}

export interface HostKeyFile {
  /** Of the private key. `${path}.pub` is the public one. */
  path: string;
  /** `type base64`, as a known_hosts line has it after the name. */
  publicKey: string;
}

export interface Sshd {
  address: string;
  port: number;
  /** Its own temporary directory: a place for more files of the same test. */
  directory: string;
  hostKeys: Partial<Record<HostKeyType, HostKeyFile>>;
  setAuthorizedKeys: (lines: string[]) => Promise<void>;
  /** What sshd has logged so far, at VERBOSE. */
  log: () => string;
  /** Kills the processes that serve connections; the listener lives. */
  killSessions: () => void;
  stop: () => Promise<void>;
}

/**
 * A real OpenSSH server for the current user, with a configuration, host keys and authorized_keys
 * of its own in a temporary directory. Rejects with its log when it does not come up.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const directory = await mkdtemp(join(tmpdir(), 'sshd-'));
  const address = options.address ?? '127.0.0.1';
  const port = options.port ?? (await freePort());
  const hostKeys: Sshd['hostKeys'] = {};
  for (const type of options.hostKeyTypes ?? ['ed25519']) {
    hostKeys[type] = makeHostKey(join(directory, `host_${type}`), type);
  }
  const authorizedKeys = join(directory, 'authorized_keys');
  const setAuthorizedKeys = (lines: string[]) =>
    writeFile(authorizedKeys, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  await setAuthorizedKeys(options.authorizedKeys ?? []);

  const configFile = join(directory, 'sshd_config');
  const lines = [
    ...(options.config ?? []),
    `ListenAddress ${address.includes(':') ? `[${address}]` : address}:${port}`,
    ...Object.values(hostKeys).map(({ path }) => `HostKey ${path}`),
    `AuthorizedKeysFile ${authorizedKeys}`,
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'PidFile none',
    'PrintMotd no',
    'PrintLastLog no',
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
  ];
  await writeFile(configFile, `${lines.join('\n')}\n`);

  const [file = program, ...args] = [
    ...(options.prefix ?? []),
    program,
    '-D',
    '-e',
    '-f',
    configFile,
  ];
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const killSessions = () => descendants(child.pid ?? 0).forEach(kill);
  const stop = async () => {
    killSessions();
    await ended(child);
    await rm(directory, { recursive: true, force: true });
  };

  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', () => {
      if (log.includes('Server listening on')) resolve();
    });
    child.on('exit', () => reject(new Error(`sshd did not start:\n${log}`)));
    child.on('error', reject);
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    address,
    port,
    directory,
    hostKeys,
    setAuthorizedKeys,
    log: () => log,
    killSessions,
    stop,
  };
}

export function makeHostKey(path: string, type: HostKeyType): HostKeyFile {
  const size = type === 'rsa' ? ['-b', '2048'] : [];
  const made = spawnSync('ssh-keygen', ['-q', '-t', type, ...size, '-N', '', '-C', '', '-f', path]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr.toString()}`);
  return { path, publicKey: readFileSync(`${path}.pub`, 'utf8').trim() };
}

/** A TCP port of the loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** All processes below `pid`, parents first: sshd gives each connection a process and a session of its own. */
function descendants(pid: number): number[] {
  let children: number[] = [];
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    children = list.split(' ').filter(Boolean).map(Number);
  } catch {
    // It ended meanwhile.
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
