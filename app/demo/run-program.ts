/** What a login at the demo's server runs: one command, or the person's own shell. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerChannel } from 'ssh2';

export interface WindowSize {
  columns: number;
  rows: number;
}

export interface PseudoTerminal extends WindowSize {
  /** The value of `TERM`. */
  term: string;
}

export interface ProgramOptions {
  /** `null`: the shell. */
  command: string | null;
  terminal: PseudoTerminal | null;
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
  const { command, terminal } = options;
  const within = terminal !== null && hasScript() ? inTerminal(options, shell) : null;
  const plain: [string, string[]] = command === null ? [shell, []] : [shell, ['-c', command]];
  const [file, args] = within?.command ?? plain;
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
      // Detached: the program leads a process group of its own.
      process.kill(-child.pid, 'SIGHUP');
    } catch {
      // It has just ended by itself.
    }
  };
  channel.once('close', end);

  return { ended, end, resize: (size) => within?.resize(size) };
}

let script: boolean | null = null;

/** `script` of util-linux is what gives a program a terminal here; elsewhere there is none. */
function hasScript(): boolean {
  script ??= /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout);
  return script;
}

function inTerminal({ command, terminal, directory }: ProgramOptions, shell: string) {
  const nameFile = join(directory, 'terminal');
  const { rows, columns } = terminal as PseudoTerminal;
  const inner = [
    `tty > ${quoted(nameFile)}`,
    `stty rows ${rows} columns ${columns}`,
    `exec ${quoted(shell)}${command === null ? '' : ` -c ${quoted(command)}`}`,
  ].join('; ');
  const launched: [string, string[]] = ['script', ['-qfec', inner, '/dev/null']];
  return {
    command: launched,
    /** The kernel tells the programs in that terminal, as it tells those in a window. */
    resize(size: WindowSize): void {
      const name = readFileSync(nameFile, 'utf8').trim();
      const wanted = ['rows', String(size.rows), 'columns', String(size.columns)];
      execFile('stty', ['-F', name, ...wanted], () => {});
    },
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
