/**
 * The demo's server: SSH in this process, on a free port of 127.0.0.1, for one user with one key,
 * as long as the demo runs. What is run there runs on this machine as the person who started it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection, type Session } from 'ssh2';
import { newHostKey } from './host-key.ts';
import { runProgram, type RunningProgram, type TerminalRequest } from './run-program.ts';

export const LOOPBACK = '127.0.0.1';

export interface DemoServer {
  readonly port: number;
  /** `SHA256:…` of the host key, which was made for this run. */
  readonly hostKeyFingerprint: string;
  /** Signatures that came in, good or bad. */
  readonly signaturesSeen: () => number;
  /** Hangs up on everybody, ends what they run, and resolves when the port is free. */
  close(): Promise<void>;
}

export interface DemoServerOptions {
  user: string;
  /** The one key that may log in: an SSH key blob (RFC 4253 §6.6), base64. */
  publicKey: string;
  /** A private directory for the life of the server. */
  directory: string;
}

/** Rejects when no port can be had. */
export async function startServer(options: DemoServerOptions): Promise<DemoServer> {
  const allowed = Buffer.from(options.publicKey, 'base64');
  const hostKey = newHostKey();
  const connections = new Set<Connection>();
  const programs = new Set<RunningProgram>();
  let signaturesSeen = 0;

  function authenticate(context: AuthContext): void {
    if (context.method !== 'publickey') return context.reject(['publickey']);
    const isAllowed =
      context.username === options.user &&
      context.key.data.length === allowed.length &&
      timingSafeEqual(context.key.data, allowed);
    if (context.signature !== undefined) signaturesSeen += 1;
    if (!isAllowed) return context.reject(['publickey']);
    if (context.signature === undefined) return context.accept();
    const key = ssh2.utils.parseKey(`${context.key.algo} ${options.publicKey}`);
    const verifies =
      !(key instanceof Error) &&
      context.blob !== undefined &&
      key.verify(context.blob, context.signature, context.hashAlgo) === true;
    if (verifies) context.accept();
    else context.reject(['publickey']);
  }

  function serve(session: Session): void {
    let terminal: TerminalRequest | null = null;
    let program: RunningProgram | null = null;
    const run = (accept: () => ssh2.ServerChannel, command: string | null) => {
      if (program !== null) return;
      const running = runProgram(accept(), { command, terminal, directory: options.directory });
      program = running;
      programs.add(running);
      void running.ended.then(() => programs.delete(running));
    };
    session.on('pty', (accept, _, { cols: columns, rows, term = 'dumb' }) => {
      terminal = { columns, rows, term };
      accept?.();
    });
    session.on('window-change', (accept, _, { cols: columns, rows }) => {
      program?.resize({ columns, rows });
      accept?.();
    });
    session.on('exec', (accept, _, { command }) => run(accept, command));
    session.on('shell', (accept) => run(accept, null));
  }

  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connections.add(connection);
    connection.on('authentication', authenticate);
    connection.on('session', (accept) => serve(accept()));
    // A peer that hangs up in the middle is no fault of the demo's.
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    hostKeyFingerprint: fingerprintOfPrivateKey(hostKey),
    signaturesSeen: () => signaturesSeen,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const program of programs) program.end();
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}

function fingerprintOfPrivateKey(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  const hash = createHash('sha256').update(key.getPublicSSH()).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}
