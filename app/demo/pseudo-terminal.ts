/** A terminal for a program, by what the machine has for it: Node itself has none to give. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type CommandLine = [file: string, args: string[]];

export interface WindowSize {
  columns: number;
  rows: number;
}

export interface PseudoTerminal {
  /** Runs the program in a terminal of its own, between this process's pipes. */
  commandLine: CommandLine;
  resize(size: WindowSize): void;
  /** SIGHUP to the program, as when its window is closed. */
  hangUp(): void;
}

const PYTHON = 'import pty, sys; sys.exit(pty.spawn(["/bin/sh", "-c", sys.argv[1]]) >> 8)';

let way: ((shellCommand: string) => CommandLine) | null | undefined;

/** `script` of util-linux, or Python's `pty`; `null` where there is neither. */
function wayToTerminal(): typeof way {
  if (way !== undefined) return way;
  const { stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' });
  if (stdout?.includes('util-linux')) {
    way = (shellCommand) => ['script', ['-qfec', shellCommand, '/dev/null']];
  } else if (spawnSync('python3', ['-c', 'import pty']).status === 0) {
    way = (shellCommand) => ['python3', ['-c', PYTHON, shellCommand]];
  } else way = null;
  return way;
}

export const hasPseudoTerminal = () => wayToTerminal() !== null;

export interface PseudoTerminalOptions {
  /** `null`: the shell, interactive. */
  command: string | null;
  shell: string;
  /** A private directory; the program's process id and its terminal's name are left there. */
  directory: string;
  size: WindowSize;
}

/** `null` where the machine has no way to make one. */
export function inPseudoTerminal(options: PseudoTerminalOptions): PseudoTerminal | null {
  const { command, shell, directory, size } = options;
  const noteFile = join(directory, 'terminal');
  const commandLine = wayToTerminal()?.(
    [
      `echo $$ $(tty) > ${quoted(noteFile)}`,
      `stty rows ${size.rows} columns ${size.columns}`,
      `exec ${quoted(shell)}${command === null ? '' : ` -c ${quoted(command)}`}`,
    ].join('; '),
  );
  if (commandLine === undefined) return null;
  // Empty while the program is just being started.
  const note = () => (existsSync(noteFile) ? readFileSync(noteFile, 'utf8').trim().split(' ') : []);
  return {
    commandLine,
    /** The kernel tells the programs in that terminal, as it tells those in a window. */
    resize({ rows, columns }) {
      const [, name] = note();
      if (name === undefined) return;
      const device = process.platform === 'linux' ? '-F' : '-f';
      execFile('stty', [device, name, 'rows', `${rows}`, 'columns', `${columns}`], () => {});
    },
    hangUp() {
      const [pid] = note();
      if (pid !== undefined && pid !== '') process.kill(Number(pid), 'SIGHUP');
    },
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
