/** Drives `vmux` and `signer` as their people do: as processes, each at its own state directory. */
import {
  execFileSync,
  spawn,
  spawnSync,
  type ChildProcessWithoutNullStreams,
} from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Exit {
  status: number | null;
  signal: NodeJS.Signals | null;
}

export interface Ended extends Exit {
  stdout: string;
  stderr: string;
}

export interface RunningProgram {
  readonly pid: number;
  /** Waits for the first match behind the last one awaited, in all that it wrote. */
  expect(pattern: RegExp | string, withinMs?: number): Promise<RegExpExecArray>;
  /** What it wrote behind the last match awaited. */
  unread(): string;
  /** Counts everything that it wrote so far as read. */
  skip(): void;
  type(text: string | Buffer): void;
  endInput(): void;
  stdout(): Buffer;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Its exit, and everything it wrote. */
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  /** Written to its standard input, which then ends. Without it, the input stays open. */
  input?: string | Buffer;
  env?: Record<string, string>;
}

export interface Device {
  readonly program: 'vmux' | 'signer';
  readonly home: string;
  /** What runs a command on the device's network. */
  readonly prefix: string[];
  /** The environment in which its programs run. */
  readonly env: Record<string, string>;
  start(args: string[], options?: RunOptions): RunningProgram;
  /** Starts it and waits for its end; its input ends at once unless `input` is given. */
  run(args: string[], options?: RunOptions): Promise<Ended>;
  /** Everything that its programs have written so far, for all to see. */
  screen(): string;
  /** Adds what was seen elsewhere, such as in a terminal. */
  noteScreen(text: string): void;
}

export interface Bench {
  readonly directory: string;
  /** What runs a command where the devices are: a loopback of their own, if it can be had. */
  readonly prefix: string[];
  /** `at`: what runs a command on another network than the bench's. */
  device(program: 'vmux' | 'signer', name?: string, at?: string[]): Device;
  /** Kills what still runs and removes the directory. */
  clear(): Promise<void>;
}

/** How long a program on a busy machine may take to write what it will write. */
const PATIENCE = 30_000;

/**
 * A temporary directory for the devices of one test file, and as root on Linux a network namespace
 * with nothing but a loopback, so that no other phone on this machine is found.
 * `network`: 'shared' to stay on this machine's own loopback.
 */
export function createBench(network: 'own' | 'shared' = 'own'): Bench {
  const namespace = network === 'own' ? makeNamespace() : null;
  const prefix = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
  const directory = mkdtempSync(join(tmpdir(), 'vmux-e2e-'));
  const alive = new Set<RunningProgram>();
  let count = 0;
  return {
    directory,
    prefix,
    device(program, name = `${program}-${(count += 1)}`, at = prefix) {
      const home = join(directory, name);
      const userHome = join(directory, `${name}-user`);
      mkdirSync(userHome, { recursive: true });
      const seen: (() => string)[] = [];
      const env = {
        PATH: process.env['PATH'] ?? '',
        HOME: userHome,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        [program === 'vmux' ? 'VMUX_HOME' : 'SIGNER_HOME']: home,
      };
      function start(args: string[], options: RunOptions = {}): RunningProgram {
        const running = startProgram(at, program, args, { ...env, ...options.env });
        alive.add(running);
        void running.ended.then(() => alive.delete(running));
        seen.push(() => `${running.stdout().toString()}${running.stderr()}`);
        if (options.input !== undefined) {
          running.type(options.input);
          running.endInput();
        }
        return running;
      }
      return {
        program,
        home,
        prefix: at,
        env,
        start,
        run: (args, options = {}) => start(args, { input: '', ...options }).ended,
        screen: () => seen.map((text) => text()).join('\n'),
        noteScreen: (text) => void seen.push(() => text),
      };
    },
    async clear() {
      const ending = [...alive].map((running) => {
        running.kill('SIGKILL');
        return running.ended;
      });
      await Promise.all(ending);
      if (namespace !== null) execFileSync('ip', ['netns', 'del', namespace]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The launcher of a program, to be run by this Node. */
export const launcher = (program: 'vmux' | 'signer') => resolve(`app/bin/${program}.js`);

function makeNamespace(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const name = `vmux-e2e-${randomBytes(4).toString('hex')}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return null;
  execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  return name;
}

function startProgram(
  prefix: string[],
  program: 'vmux' | 'signer',
  args: string[],
  env: Record<string, string>,
): RunningProgram {
  const [file = '', ...words] = [...prefix, process.execPath, launcher(program), ...args];
  const child = spawn(file, words, { env, stdio: 'pipe' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const all: Buffer[] = [];
  const news = new EventTarget();
  let read = 0;
  const text = () => Buffer.concat(all).toString();
  const take = (into: Buffer[]) => (chunk: Buffer) => {
    into.push(chunk);
    all.push(chunk);
    news.dispatchEvent(new Event('output'));
  };
  child.stdout.on('data', take(stdout));
  child.stderr.on('data', take(stderr));
  child.stdin.on('error', () => {});

  const ended = exitOf(child).then((exit) => ({
    ...exit,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }));
  let over = false;
  void ended.then(() => {
    over = true;
    news.dispatchEvent(new Event('output'));
  });

  function next(pattern: RegExp): RegExpExecArray | null {
    const match = pattern.exec(text().slice(read));
    if (match !== null) read += match.index + match[0].length;
    return match;
  }
  const doing = `${program} ${args.join(' ')}`;

  return {
    pid: child.pid ?? 0,
    expect(pattern, withinMs = PATIENCE) {
      const wanted = typeof pattern === 'string' ? new RegExp(RegExp.escape(pattern)) : pattern;
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(giveUp);
          news.removeEventListener('output', look);
        };
        const fail = (why: string): void => {
          stop();
          reject(
            new Error(`${doing}: ${why} before ${String(wanted)}; unread:\n${text().slice(read)}`),
          );
        };
        const look = (): void => {
          const match = next(wanted);
          if (match === null) return over ? fail('it ended') : undefined;
          stop();
          resolve(match);
        };
        const giveUp = setTimeout(() => fail(`${withinMs} ms went by`), withinMs);
        news.addEventListener('output', look);
        look();
      });
    },
    unread: () => text().slice(read),
    skip: () => void (read = text().length),
    type: (typed) => void child.stdin.write(typed),
    endInput: () => void child.stdin.end(),
    stdout: () => Buffer.concat(stdout),
    stderr: () => Buffer.concat(stderr).toString(),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

function exitOf(child: ChildProcessWithoutNullStreams): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
}
