import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A process of ours and the lines that it has printed. */
export interface Child {
  process: ChildProcess;
  pid: number;
  lines: string[];
  /** Waits until it has printed that many lines, or has ended. */
  printed(count: number): Promise<void>;
  /** Waits for its end; gives the exit code, `null` after a signal. */
  ended: Promise<number | null>;
}

/** Runs `test/support/<script>`; killed at the latest when the test has finished. */
export function startChild(script: string, args: string[], through: string[] = []): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const [command = process.execPath, ...rest] = [...through, process.execPath, path, ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let unfinished = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (unfinished + chunk).split('\n');
    unfinished = parts.pop() ?? '';
    lines.push(...parts);
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    process: child,
    pid: child.pid ?? 0,
    lines,
    ended,
    async printed(count) {
      while (lines.length < count && child.exitCode === null && child.signalCode === null) {
        await Promise.race([once(child.stdout ?? child, 'data'), ended]);
      }
    },
  };
}
