/** What a login at the demo's server runs: one command, or the person's own shell. */
import { spawn } from 'node:child_process';
import type { ServerChannel } from 'ssh2';
import { inPseudoTerminal, type CommandLine, type WindowSize } from './pseudo-terminal.ts';

export interface TerminalRequest extends WindowSize {
  /** The value of `TERM`. */
  term: string;
}

export interface ProgramOptions {
  /** `null`: the shell. */
  command: string | null;
  terminal: TerminalRequest | null;
  /** A private directory; the terminal's name is left there. */
  directory: string;
}

export interface RunningProgram {
  readonly ended: Promise<void>;
  resize(size: WindowSize): void;
  /** Hangs up: SIGHUP to the program and what it started. */
  end(): void;
}

/** Runs it, and gives its output and its end to the channel. */
export function runProgram(channel: ServerChannel, options: ProgramOptions): RunningProgram {
  const shell = process.env['SHELL'] || '/bin/sh';
  const { command, terminal, directory } = options;
  const within =
    terminal === null ? null : inPseudoTerminal({ command, shell, directory, size: terminal });
  const plain: CommandLine = command === null ? [shell, []] : [shell, ['-c', command]];
  const [file, args] = within?.commandLine ?? plain;
  const child = spawn(file, args, {
    stdio: 'pipe',
    detached: true,
    env: { ...process.env, ...(terminal !== null && { TERM: terminal.term }) },
  });

  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.pipe(child.stdin);
  for (const stream of [child.stdin, child.stdout, child.stderr, channel]) {
    stream.on('error', () => {});
  }

  const ended = new Promise<void>((resolve) => {
    child.once('error', () => {
      channel.exit(127);
      channel.end();
      resolve();
    });
    child.once('close', (status, signal) => {
      if (signal === null) channel.exit(status ?? 0);
      else channel.exit(signal.replace(/^SIG/, ''), false);
      channel.end();
      resolve();
    });
  });
  const end = () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      within?.hangUp();
      // Detached: it leads a process group of its own. `script` does not hear SIGHUP.
      process.kill(-child.pid, within === null ? 'SIGHUP' : 'SIGTERM');
    } catch {
      // It has just ended by itself.
    }
  };
  channel.once('close', end);

  return { ended, end, resize: (size) => within?.resize(size) };
}
