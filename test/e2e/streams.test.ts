import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, launcher } from '../support/program-driver.ts';
import { untold } from '../support/program-logs.ts';
import {
  connectTo,
  createIdentity,
  knowHost,
  pair,
  type Phone,
  sshWithConfig,
  startPhone,
} from '../support/program-story.ts';
import { hasSshd, makeHostKey, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'four words and more';
const megabytes = 100;

describe.skipIf(!hasSshd)(
  `vmux connect and ssh, side by side${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    let sshd: Sshd;
    let signer: Phone;
    let sshFolder = '';

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      const plain = makeHostKey(join(bench.directory, 'plain'), 'ed25519');
      await sshd.setAuthorizedKeys([
        plain.publicKey,
        await createIdentity(phone, 'work', passphrase),
      ]);
      await pair(headset, phone);
      await knowHost(phone, sshd);
      signer = await startPhone(phone);
      sshFolder = join(bench.directory, 'bin');
      mkdirSync(sshFolder);
      sshWithConfig(sshFolder, [
        `IdentityFile ${plain.path}`,
        'IdentitiesOnly yes',
        'StrictHostKeyChecking no',
        `UserKnownHostsFile ${bench.directory}/known_hosts`,
        'LogLevel ERROR',
      ]);
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    async function byVmux(command: string[], input = '') {
      const running = headset.start(connectTo(sshd, signer, command), { input });
      await signer.answer(passphrase);
      const { status, stdout, stderr } = await running.ended;
      return { status, stdout, stderr: withoutOverlay(stderr) };
    }
    function bySsh(command: string[], input = '') {
      const { port, address } = sshd;
      const words = [...bench.prefix, join(sshFolder, 'ssh'), '-p', String(port), address];
      const ssh = spawn('/usr/bin/env', [...words, ...command]);
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      ssh.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      ssh.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      ssh.stdin.end(input);
      return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
        ssh.once('close', (status) => {
          const [stdout, stderr] = [out, err].map((all) => Buffer.concat(all).toString());
          resolve({ status, stdout: stdout ?? '', stderr: stderr ?? '' });
        });
      });
    }

    it('give the same output, error output and status', async () => {
      for (const command of [
        ['true'],
        ['exit 3'],
        ['cat; echo to the other side >&2; exit 255'],
        ['no-such-command 2>/dev/null'],
        ['echo', 'two  words', '&&', 'printf', '"%s\\n"', '"a  b"'],
      ]) {
        const [ours, theirs] = [await byVmux(command, 'typed\n'), await bySsh(command, 'typed\n')];
        expect(ours).toEqual(theirs);
      }
    });

    it('end with 128 and its number when a signal ended the command, which vmux names', async () => {
      expect(await byVmux(['kill -TERM $$'])).toEqual({
        status: 143,
        stdout: '',
        stderr: 'vmux: the remote command was ended by SIGTERM\r\n',
      });
      // OpenSSH's own client knows no status for a signal.
      expect((await bySsh(['kill -TERM $$'])).status).toBe(255);
    });

    it(`carry ${megabytes} MB through cat and back, byte for byte`, async () => {
      const child = spawn(
        '/usr/bin/env',
        [...bench.prefix, process.execPath, launcher('vmux'), ...connectTo(sshd, signer, ['cat'])],
        { env: headset.env },
      );
      child.stderr.on('data', () => {});
      const exit = new Promise((resolve) => child.once('close', resolve));
      const sent = createHash('sha256');
      const received = createHash('sha256');
      let count = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        count += chunk.length;
        received.update(chunk);
      });
      await signer.answer(passphrase);
      for (let i = 0; i < megabytes; i += 1) {
        const chunk = randomBytes(1_000_000);
        sent.update(chunk);
        if (!child.stdin.write(chunk)) {
          await new Promise<void>((resolve) => child.stdin.once('drain', () => resolve()));
        }
      }
      child.stdin.end();
      expect(await exit).toBe(0);
      expect(count).toBe(megabytes * 1_000_000);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    }, 60_000);

    it('write nothing of the overlay where a pipe is read', async () => {
      const running = headset.start(connectTo(sshd, signer, ['printf', 'bare']));
      await signer.answer(passphrase);
      const { stdout, stderr } = await running.ended;
      expect(stdout).toBe('bare');
      expect(stderr).toMatch(
        /^Waiting for iPhone signer… \(10 s\)\nWaiting for iPhone signer… code \d\d\n$/,
      );
    });

    it('keep the session when the phone is killed', async () => {
      const running = headset.start(connectTo(sshd, signer, ['cat']));
      await signer.answer(passphrase);
      running.type('before\n');
      await running.expect('before\n');
      signer.kill('SIGKILL');
      await signer.ended;
      running.type('after\n');
      await running.expect('after\n');
      running.endInput();
      expect((await running.ended).status).toBe(0);
    });

    it('end, vmux by vmux, as their log tells', async () => {
      signer = await startPhone(phone);
      signer.kill('SIGINT');
      expect((await signer.ended).status).toBe(130);
      expect(untold(headset)).toEqual([]);
      expect(untold(phone)).toEqual([]);
    });
  },
);

const withoutOverlay = (stderr: string) =>
  stderr
    .split('\n')
    .filter((line) => !/^Waiting for iPhone signer|^vmux: taking the new host key/.test(line))
    .join('\n');
