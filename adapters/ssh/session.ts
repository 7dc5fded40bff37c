import type { Readable, Writable } from 'node:stream';
import type { Client, ClientChannel, PseudoTtyOptions } from 'ssh2';
import { foreign } from './foreign-text.ts';

export interface WindowSize {
  columns: number;
  rows: number;
}

/** The terminal that the remote program is given (RFC 4254 §6.2). */
export interface Terminal extends WindowSize {
  /** The value of `TERM`. */
  term: string;
  /** Calls `changed` with each new size until the function it returned is called. */
  onResize: (changed: (size: WindowSize) => void) => () => void;
}

/** What to run once logged in, and where its bytes come from and go to. */
export interface SessionOptions {
  /** `null`: the user's shell. */
  command: string | null;
  /** `null`: no terminal; stdout and stderr then stay apart on the way. */
  terminal: Terminal | null;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
}

export type SessionEnd =
  /** `signal`: with its `SIG`. Both `null`: the connection ended before the program said. */
  | { outcome: 'ended'; status: number | null; signal: string | null; detail: string }
  | { outcome: 'refused'; detail: string };

/**
 * Runs a shell or one command (RFC 4254 §6.5) and waits until it has ended and everything it wrote
 * has been taken by `stdout` and `stderr`. Bytes are passed on as they are; a side that reads
 * slowly slows the other down. The end of `stdin` is sent on; `stdout` and `stderr` stay open.
 * When `stdout` fails, such as a pipe whose reader left, the channel is closed.
 * Never rejects.
 */
export function runSession(
  client: Client,
  options: SessionOptions,
  env: Record<string, string>,
): Promise<SessionEnd> {
  const { command, terminal } = options;
  return new Promise((resolve) => {
    // Attached at once: a short command's end may have come with the channel's confirmation.
    const opened = (error: Error | undefined, channel: ClientChannel) =>
      resolve(error ? refused(error) : attach(channel, options));
    const pty = terminal && ptyOf(terminal);
    try {
      if (command === null) client.shell(pty ?? false, { env }, opened);
      else client.exec(command, pty === null ? { env } : { env, pty }, opened);
    } catch (error) {
      resolve(refused(error as Error));
    }
  });
}

function refused({ message }: Error): SessionEnd {
  return { outcome: 'refused', detail: foreign(message) };
}

function ptyOf({ term, columns, rows }: Terminal): PseudoTtyOptions {
  return { term, cols: columns, rows, width: 0, height: 0 };
}

async function attach(channel: ClientChannel, options: SessionOptions): Promise<SessionEnd> {
  const { terminal, stdin, stdout, stderr } = options;
  let status: number | null = null;
  let signal: string | null = null;
  let detail = '';

  const stdoutFailed = (error: Error) => {
    detail = `stdout: ${error.message}`;
    channel.unpipe(stdout).resume();
    channel.close();
  };
  const stderrFailed = () => channel.stderr.unpipe(stderr).resume();
  const stdinFailed = () => channel.end();
  stdout.on('error', stdoutFailed);
  stderr.on('error', stderrFailed);
  stdin.on('error', stdinFailed);
  channel.on('error', () => {});
  channel.on('exit', (code: number | null, name?: string) => {
    status = code;
    signal = name === undefined ? null : foreign(name);
  });
  const stopResizing = terminal?.onResize(({ columns, rows }) =>
    channel.setWindow(rows, columns, 0, 0),
  );

  const ended = Promise.all([once(channel, 'close'), once(channel.stderr, 'end')]);
  channel.pipe(stdout, { end: false });
  channel.stderr.pipe(stderr, { end: false });
  stdin.pipe(channel);
  await ended;

  stopResizing?.();
  stdin.unpipe(channel).pause();
  await Promise.all([flushed(stdout), flushed(stderr)]);
  stdout.off('error', stdoutFailed);
  stderr.off('error', stderrFailed);
  stdin.off('error', stdinFailed);
  return { outcome: 'ended', status, signal, detail };
}

function once(emitter: NodeJS.EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => resolve());
  });
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writable) stream.write('', () => resolve());
    else resolve();
  });
}
