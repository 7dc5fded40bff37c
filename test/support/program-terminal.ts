/** A real terminal for a program: a tmux server of its own, with one window. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { launcher, type Device } from './program-driver.ts';

/** Why there is no terminal to drive here, or `null`. */
export const tmuxMissing: string | null =
  spawnSync('tmux', ['-V']).error === undefined ? null : 'no tmux on this machine';

export interface Terminal {
  /** Types text as it is. */
  type(text: string): void;
  /** Presses keys by tmux's names: `Enter`, `Escape`, `C-c`. */
  press(...keys: string[]): void;
  resize(columns: number, rows: number): void;
  /** What is on the screen now, without spaces at the ends of lines. */
  screen(): string;
  /** Everything that was written to the terminal so far. */
  written(): string;
  /** Waits until the screen matches. */
  shows(pattern: RegExp | string, withinMs?: number): Promise<RegExpExecArray>;
  /** Waits until what was written matches behind the last match awaited so. */
  wrote(pattern: RegExp | string, withinMs?: number): Promise<RegExpExecArray>;
  /** Closes the window as its person would: what runs in it gets SIGHUP. */
  close(): void;
}

let count = 0;

/**
 * A terminal with an interactive `sh` in it, in the device's environment, 80 by 24. `vmux` and
 * `signer` are commands in it. Ended by `close`, at the latest by the caller's clean-up.
 */
export async function openTerminal(device: Device): Promise<Terminal> {
  const base = `${device.home}-terminal-${(count += 1)}`;
  const socket = `${base}.tmux`;
  const log = `${base}.written`;
  const rc = `${base}.rc`;
  writeFileSync(log, '');
  writeFileSync(
    rc,
    `PS1='ready$ '\n${device.program}() { '${process.execPath}' '${launcher(device.program)}' "$@"; }\n`,
  );
  const [file = '', ...words] = [...device.prefix, 'tmux'];
  const tmux = (...args: string[]): string =>
    execFileSync(file, [...words, '-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: device.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  tmux('new-session', '-d', '-x', '80', '-y', '24', `ENV='${rc}' sh -i`);
  tmux('set', '-g', 'status', 'off');
  tmux('pipe-pane', `cat >> '${log}'`);
  let read = 0;
  let open = true;
  const written = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');

  async function until(
    look: () => RegExpExecArray | null,
    withinMs: number,
    wanted: unknown,
  ): Promise<RegExpExecArray> {
    const end = performance.now() + withinMs;
    for (;;) {
      const match = look();
      if (match !== null) return match;
      if (performance.now() > end) {
        throw new Error(
          `the terminal never showed ${String(wanted)}:\n${tmux('capture-pane', '-p')}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const terminal: Terminal = {
    type: (text) => void tmux('send-keys', '-l', text),
    press: (...keys) => void tmux('send-keys', ...keys),
    resize: (columns, rows) =>
      void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    screen: () => tmux('capture-pane', '-p'),
    written,
    shows: (pattern, withinMs = 15_000) =>
      until(() => regular(pattern).exec(tmux('capture-pane', '-p')), withinMs, pattern),
    wrote: (pattern, withinMs = 15_000) =>
      until(
        () => {
          const match = regular(pattern).exec(written().slice(read));
          if (match !== null) read += match.index + match[0].length;
          return match;
        },
        withinMs,
        pattern,
      ),
    close() {
      if (!open) return;
      open = false;
      device.noteScreen(written());
      tmux('kill-server');
    },
  };
  await terminal.shows('ready$').catch((error: unknown) => {
    terminal.close();
    throw error;
  });
  return terminal;
}

const regular = (pattern: RegExp | string) =>
  typeof pattern === 'string' ? new RegExp(RegExp.escape(pattern)) : pattern;
