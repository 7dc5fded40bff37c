/** What a login of the demo is for: one command whose output is kept, or a shell for the person. */
import { PassThrough, Readable } from 'node:stream';
import type { SessionOptions } from '../../adapters/ssh/session.ts';

export interface CommandSession extends SessionOptions {
  /** Everything that the command has written so far. */
  output(): string;
}

/** Runs `command` with nothing on its stdin. */
export function commandSession(command: string): CommandSession {
  const chunks: Buffer[] = [];
  const collect = () => new PassThrough().on('data', (chunk: Buffer) => void chunks.push(chunk));
  return {
    command,
    terminal: null,
    stdin: Readable.from([]),
    stdout: collect(),
    stderr: collect(),
    output: () => Buffer.concat(chunks).toString('utf8'),
  };
}

/** The shell, on the terminal of this process, which is raw from now on. */
export function shellSession(): SessionOptions {
  const { stdin, stdout, stderr } = process;
  const size = () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  stdin.setRawMode(true);
  return {
    command: null,
    stdin,
    stdout,
    stderr,
    terminal: {
      ...size(),
      term: process.env['TERM'] ?? 'xterm-256color',
      onResize(changed) {
        const report = () => changed(size());
        stdout.on('resize', report);
        return () => stdout.off('resize', report);
      },
    },
  };
}
