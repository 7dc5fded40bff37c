import { execFileSync, spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { failures } from '../../machines/failures.ts';
import { makeNamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { hasSshd, startSshd } from '../support/sshd.ts';

const start = 'app/demo/start.ts';
const patiently = 60_000;

/** The machine's temporary directory as the demo sees it, and the person's home. */
let scratch: { path: string; tmp: string; env: NodeJS.ProcessEnv };

beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const tmp = join(path, 'tmp');
  mkdirSync(tmp);
  const { PATH } = process.env;
  scratch = {
    path,
    tmp,
    env: { PATH, HOME: path, TMPDIR: tmp, SHELL: '/bin/sh', LANG: 'C.UTF-8' },
  };
});
afterEach(() => {
  for (const close of terminals.splice(0)) close();
  const left = readdirSync(scratch.path, { recursive: true, encoding: 'utf8' });
  rmSync(scratch.path, { recursive: true });
  expect(left.filter((name) => name !== 'tmp' && !name.startsWith('kept'))).toEqual([]);
});
/** What closes those that are open. */
const terminals: (() => void)[] = [];

const nineSteps = (discovery: string) => [
  '1. You tap Connect in the headset.',
  '2. vmux begins the SSH handshake with your remote server.',
  '3. The server asks for an authentication signature.',
  `4. vmux looks for a paired iPhone via ${discovery}. This usually takes under a second on a good network.`,
  '5. vmux sends the signing challenge to your iPhone over an encrypted TLS session.',
  '6. The iPhone shows a sheet describing the request: source device name (your headset), destination host, key fingerprint.',
  '7. You approve with Face ID.',
  '8. The iPhone signs the challenge with its sealed key and returns the signature.',
  '9. vmux passes the signature back to the SSH server. The server verifies it. The connection completes.',
];

const stepsIn = (output: string) =>
  output
    .split('\n')
    .filter((line) => /^\d\. /.test(line))
    .map((line) => line.replace(/ \(\d+\.\d{3} s\)$/, ''));

/** The lines below a heading, without what a run of them differs in. */
function below(output: string, heading: string): string[] {
  const [, text = ''] = output.split(`\n${heading}\n`);
  const [block = ''] = text.split('\n\n');
  return block
    .split('\n')
    .map((line) => line.replace(/after \d+\.\d s/, 'after N s').replace(/code \d\d$/, 'code NN'));
}

describe('npm start without a terminal', () => {
  it(
    'tells the nine steps, a denial and a time-out in their exact words, and keeps nothing',
    async () => {
      const { status, stdout, stderr } = await run([]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stepsIn(stdout)).toEqual(nineSteps('DNS-SD'));
      expect(stdout).toMatch(/^ {3}headset │ found it by DNS-SD in \d+\.\d\d s$/m);
      expect(stdout).toMatch(/^ {3}headset │ Waiting for iPhone signer…$/m);
      expect(stdout).toMatch(/^ {3}headset │ Waiting for iPhone signer… code \d\d$/m);
      expect(stdout).toContain(
        '   demo    │ the host is new to the phone, which asks for the code on the headset\n' +
          '   person  │ reads it off the headset and types it on the phone\n7. ',
      );
      expect(stdout).toMatch(/│ SHA-256 of the challenge: .{16}…, the same on both devices$/m);
      expect(stdout).toMatch(/│ SHA-256 of the signature: .{16}…, the same on both devices$/m);
      expect(stdout).toContain(
        '   phone   │ SSH Sign Request\n           │   From demo headset → 127.0.0.1  (said by demo headset)\n',
      );
      expect(stdout).toContain(
        `   server  │ ran id -un, exit status 0:\n   headset │ ${userInfo().username}\n`,
      );
      expect(below(stdout, 'The same again, and Deny')).toEqual([
        '   demo    │ the link is still open; the phone asks again all the same',
        '   headset │ Connecting to 127.0.0.1…',
        '   headset │ Waiting for iPhone signer…',
        '   headset │ Waiting for iPhone signer… code NN',
        '   phone   │ shows the sheet',
        '   person  │ taps Deny',
        '   headset │ The request was denied on the phone.',
        '           │ hint: Nothing was signed. Approve it next time.',
        '   both    │ after N s; the phone signed nothing, the server got no signature',
      ]);
      expect(below(stdout, 'The same again, and nobody looks at the phone')).toEqual([
        '   demo    │ on a clock of 3 s instead of the ten, for the demo',
        '   headset │ Connecting to 127.0.0.1…',
        '   headset │ Waiting for iPhone signer…',
        '   headset │ Waiting for iPhone signer… code NN',
        '   phone   │ shows the sheet',
        '   phone   │ takes the sheet away',
        '   headset │ No iPhone signer found.',
        `           │ hint: ${failures.notApproved.hint}`,
        '   both    │ after N s; the phone signed nothing, the server got no signature',
      ]);
      expect(below(stdout, 'The record').join('\n')).toMatch(
        /^ {3}demo {4}│ \d+ events of 7 machine runs are on record; folded again, each run leads to its live state$/,
      );
      expect(stdout.endsWith('\nDone: nothing of this is kept.\n')).toBe(true);
      // oxlint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/\x1b/);
    },
    patiently,
  );

  it.skipIf(namespacesMissing !== null)(
    `says so when multicast is not available, and uses a direct address${namespacesMissing === null ? '' : ` [skipped: ${namespacesMissing}]`}`,
    async () => {
      const pair = makeNamespacePair();
      onTestFinished(pair.dispose);
      pair.left.dropMulticast();
      const { status, stdout } = await run([], {}, ['ip', 'netns', 'exec', pair.left.name]);
      expect(status).toBe(0);
      expect(stdout).toMatch(
        /^ {3}headset │ multicast is not available here: discovery is left out,\n {11}│ and the direct address 127\.0\.0\.1 port \d+ is used$/m,
      );
      expect(stepsIn(stdout)).toEqual(nineSteps('its direct address'));
      expect(stdout).toContain('The request was denied on the phone.');
      expect(stdout).toContain('No iPhone signer found.');
    },
    patiently,
  );

  it(
    'ends at once on Ctrl-C, with nothing left',
    async () => {
      const { status, stdout } = await run([], { interruptAfter: '6. The iPhone' });
      expect(status).toBe(130);
      expect(stdout).not.toContain('9. ');
    },
    patiently,
  );

  it('asks for a terminal when it is given a server', async () => {
    expect(await run(['somebody@192.0.2.1'])).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'demo: with a server it needs a terminal, where you type the passphrase\n' +
        'hint: npm start -- --help\n',
    });
  });

  it('says what is wrong with a command line', async () => {
    const { status, stderr } = await run(['a@b', 'c']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'demo: unexpected argument: c\nhint: npm start -- --help\n',
    });
  });
});

const hasTmux = spawnSync('tmux', ['-V']).error === undefined;

describe.skipIf(!hasTmux)('npm start at a terminal (skipped without tmux)', () => {
  it(
    'gives the shell in the end, which knows the size of its window',
    async () => {
      const terminal = openTerminal([]);
      await terminal.shows(/Signed\. The server is checking…\n[^]*[$#]$/);
      terminal.enter('echo $((6*7)); stty size');
      await terminal.shows(/^42\n50 120$/m);
      terminal.resize(100, 40);
      terminal.enter('clear; stty size');
      await terminal.shows(/^40 100$/m);
      terminal.enter('exit');
      await terminal.shows(/^Done: nothing of this is kept\.\nstatus 0$/m);
    },
    patiently,
  );

  it(
    'leaves nothing running when its window is closed',
    async () => {
      const terminal = openTerminal([]);
      await terminal.shows(/Signed\. The server is checking…\n[^]*[$#]$/);
      terminal.enter('echo $$ $PPID; exec sleep 4000');
      await terminal.shows(/^\d+ \d+$/m);
      const pids = (/^(\d+) (\d+)$/m.exec(terminal.screen()) ?? []).slice(1).map(Number);
      terminals.pop()?.();
      await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      await expect.poll(() => readdirSync(scratch.tmp), { timeout: 10_000 }).toEqual([]);
    },
    patiently,
  );

  it.skipIf(!hasSshd)(
    `logs in to a real server with a key that stays${hasSshd ? '' : ' [skipped: no sshd]'}`,
    async () => {
      const sshd = await startSshd();
      onTestFinished(sshd.stop);
      const where = `${userInfo().username}@${sshd.address}:${sshd.port}`;

      const first = openTerminal([where]);
      await first.shows('passphrase for the new key:');
      first.enter('correct horse');
      await first.shows('the same again:');
      first.enter('correct horse');
      await first.shows('then press Enter…');
      const line = /^ecdsa-sha2-nistp256 \S+ demo$/m.exec(first.screen())?.[0] ?? '';
      first.enter('');
      await first.shows('Continue connecting (y/N)?');
      // The question takes no yes in its first moments.
      await sleep(800);
      first.press('y');
      await first.shows(failures.permissionDenied.message);
      await sshd.setAuthorizedKeys([line]);
      first.press('r');
      await typeCode(first);
      await first.shows('passphrase + Enter approves');
      first.enter('correct horse');
      await first.shows(/\n9\. [^]*[$#]$/);
      first.enter('exit 3');
      await first.shows('status 3');

      const second = openTerminal([where]);
      await second.shows('shows, d + Enter denies:');
      expect(second.screen()).toContain(line);
      expect(second.screen()).not.toContain('press Enter…');
      second.enter('d');
      await second.shows(failures.denied.message);
      second.press('q');
      await second.shows('status 1');
    },
    2 * patiently,
  );
});

/** The person at both devices: the code stands in the headset's line, and the sheet asks for it. */
async function typeCode(terminal: ReturnType<typeof openTerminal>): Promise<void> {
  await terminal.shows(/New host: SHA256:[^]*shows, d \+ Enter denies:/);
  const [, code = ''] = /Waiting for iPhone signer… code (\d\d)/.exec(terminal.screen()) ?? [];
  terminal.enter(code);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(
  args: string[],
  { interruptAfter }: { interruptAfter?: string } = {},
  prefix: string[] = [],
): Promise<Run> {
  const [file = '', ...rest] = [...prefix, process.execPath, start, ...args];
  const options: SpawnOptions = { env: scratch.env, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(file, rest, options);
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stderr?.on('data', (chunk) => (output.stderr += chunk));
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk;
    if (interruptAfter !== undefined && output.stdout.includes(interruptAfter)) {
      child.kill('SIGINT');
    }
  });
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ status, ...output }));
  });
}

/** 120 by 50, with the demo in it, and its exit status after it. */
function openTerminal(args: string[]) {
  const socket = join(scratch.path, 'kept.tmux');
  const name = `demo-${terminals.length}`;
  const tmux = (...words: string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], {
      encoding: 'utf8',
      env: { ...scratch.env, VMUX_DEMO_HOME: join(scratch.path, 'kept') },
    });
  const at = ['-t', `${name}:`];
  const command = [process.execPath, start, ...args].map((word) => `'${word}'`).join(' ');
  const size = ['-x', '120', '-y', '50'];
  tmux('new-session', '-d', '-s', name, ...size, `${command}; echo status $?; exec sleep 60`);
  tmux('set', '-g', 'status', 'off');
  terminals.push(() => void tmux('kill-session', '-t', name));
  const screen = () => tmux('capture-pane', '-p', '-J', ...at).trimEnd();

  return {
    screen,
    press: (key: string) => void tmux('send-keys', ...at, key),
    enter(text: string) {
      tmux('send-keys', ...at, '-l', text);
      tmux('send-keys', ...at, 'Enter');
    },
    resize: (columns: number, rows: number) =>
      void tmux('resize-window', ...at, '-x', `${columns}`, '-y', `${rows}`),
    async shows(wanted: string | RegExp): Promise<void> {
      const matches = (text: string) =>
        typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
      await expect.poll(screen, { timeout: 30_000, interval: 100 }).toSatisfy(matches);
    },
  };
}
