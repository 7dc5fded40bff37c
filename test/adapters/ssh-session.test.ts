import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal, WindowSize } from '../../adapters/ssh/session.ts';
import { logIn, makeIdentity, runSshPort, type Harness } from '../support/ssh-port.ts';
import type { HarnessOptions } from '../support/ssh-port.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const patiently = { timeout: 10_000 };

const identity = makeIdentity('key');

describe.skipIf(!hasSshd)('the session on a real sshd (skipped where there is none)', () => {
  let server: Sshd;
  let runs: Harness[];

  const start = async (config: string[] = []): Promise<void> => {
    server = await startSshd({ authorizedKeys: [identity.line], config });
  };
  const connect = (session: HarnessOptions['session'], options: HarnessOptions = {}): Harness => {
    const input = { host: server.address, port: server.port, user: null };
    const run = runSshPort(input, { ...options, ...(session && { session }) });
    runs.push(run);
    return run;
  };

  beforeEach(() => {
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.stop();
    await server.stop();
  });

  it('keeps stdout and stderr apart and gives the exit status', async () => {
    await start();
    const run = connect({ command: 'echo out; echo err >&2; exit 7' });
    expect(await complete(run)).toMatchObject({
      end: { type: 'ssh.closed', status: 7, signal: null, detail: '' },
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('names the signal that ended the command', async () => {
    await start();
    const { end } = await complete(connect({ command: 'kill -TERM $$' }));
    expect(end).toMatchObject({ type: 'ssh.closed', status: null, signal: 'SIGTERM' });
  });

  it('sends the end of stdin on, and reads to the end all the same', async () => {
    await start();
    const run = connect({ command: 'wc -c; echo done' });
    run.stdin.end('12345');
    expect((await complete(run)).stdout).toMatch(/^5\ndone\n$/);
  });

  it('reports the end only when slow readers have taken everything', async () => {
    await start();
    let taken = 0;
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _, done) {
        setImmediate(() => {
          taken += chunk.length;
          done();
        });
      },
    });
    const run = connect({ command: 'head -c 3000000 /dev/zero', stdout: slow });
    await logIn(run, [identity]);
    await run.next('ssh.closed');
    expect(taken).toBe(3_000_000);
  });

  it('carries 100 MB of any bytes both ways, also while keys are renewed', async () => {
    await start(['RekeyLimit 40M']);
    const block = randomBytes(1 << 20);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let left = 100;
    const stdin = new Readable({
      read() {
        if (left-- === 0) {
          this.push(null);
          return;
        }
        block.writeUInt32BE(left, 0);
        const chunk = Buffer.from(block);
        sent.update(chunk);
        this.push(chunk);
      },
    });
    const stdout = new PassThrough();
    const reading = pipeline(stdout, received);
    const run = connect({ command: 'cat', stdin, stdout });
    await logIn(run, [identity]);
    expect(await run.next('ssh.closed')).toMatchObject({ status: 0 });
    stdout.end();
    await reading;
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  }, 60_000);

  it('gives a shell its terminal, and tells it of each new size', async () => {
    await start();
    let resize: ((size: WindowSize) => void) | null = null;
    const terminal: Terminal = {
      term: 'xterm-256color',
      columns: 81,
      rows: 25,
      onResize(changed) {
        resize = changed;
        return () => {};
      },
    };
    const run = connect({ command: null, terminal });
    let screen = '';
    run.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
    await logIn(run, [identity]);
    run.stdin.write('PS1=; stty -echo; echo "[$TERM]" "$(stty size)"\n');
    await expect.poll(() => screen, patiently).toContain('[xterm-256color] 25 81');
    (resize as ((size: WindowSize) => void) | null)?.({ columns: 132, rows: 43 });
    run.stdin.write('stty size\n');
    await expect.poll(() => screen, patiently).toContain('43 132');
    run.stdin.write('exit 3\n');
    expect(await run.next('ssh.closed')).toMatchObject({ status: 3 });
  });

  it('sends the variables that ssh_config names', async () => {
    await start(['AcceptEnv LC_* PLACE']);
    const configFile = join(server.directory, 'ssh_config');
    await writeFile(configFile, 'SendEnv LC_*\nSetEnv PLACE="two words"\n');
    const run = connect(
      { command: 'echo "$LC_TIME/$PLACE/$SECRET"' },
      { env: { LC_TIME: 'C.UTF-8', SECRET: 'no' }, configFile },
    );
    expect((await complete(run)).stdout).toBe('C.UTF-8/two words/\n');
  });

  it('says that the server refused when it opens no session', async () => {
    await start(['MaxSessions 0']);
    const { end } = await complete(connect({ command: 'true' }));
    expect(end).toMatchObject({ type: 'ssh.failed', reason: 'commandRefused' });
  });

  it('reports a connection that is lost in the middle, after what had arrived', async () => {
    await start();
    const run = connect({ command: 'echo before; sleep 60' });
    let output = '';
    run.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await logIn(run, [identity]);
    await expect.poll(() => output, patiently).toBe('before\n');
    server.killSessions();
    expect(await run.next('ssh.closed')).toMatchObject({ status: null, signal: null });
    expect(run.types().filter((type) => type === 'ssh.closed')).toHaveLength(1);
    expect(run.types()).not.toContain('ssh.failed');
  });

  it('closes the channel when nobody reads stdout any more', async () => {
    await start();
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(new Error('EPIPE')),
    });
    const run = connect({ command: 'yes', stdout: broken });
    await logIn(run, [identity]);
    expect(await run.next('ssh.closed')).toMatchObject({ detail: 'stdout: EPIPE' });
  });

  it('ends at once when the port is stopped', async () => {
    await start();
    const run = connect({ command: 'sleep 60' });
    await logIn(run, [identity]);
    const before = run.types();
    run.stop();
    await expect
      .poll(() => server.log(), patiently)
      .toMatch(/disconnect|closed|reset|broken pipe/i);
    expect(run.types()).toEqual(before);
  });
});

/** Logs in, runs to the end and collects the output. */
async function complete(run: Harness) {
  const [stdout, stderr] = [textOf(run.stdout), textOf(run.stderr)];
  await logIn(run, [identity]);
  const end = await run.next('ssh.closed', 'ssh.failed');
  run.stdout.end();
  run.stderr.end();
  return { end, stdout: await stdout, stderr: await stderr };
}

async function textOf(stream: PassThrough): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
