import { Buffer } from 'node:buffer';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateP256Key, signWithP256 } from '../../adapters/keys/p256.ts';
import { publicIdentity, publicKeyLine } from '../../adapters/keys/public-key.ts';
import { hasSshd, startSshd } from '../support/sshd.ts';
import { startAgent, temporaryDirectory } from './agent-examples.ts';

const hasSshAdd = spawnSync('ssh-add', ['-?'], { stdio: 'ignore' }).error === undefined;

/** An agent with one key on it, and OpenSSH's tools that are told of it. */
async function startStory() {
  const key = generateP256Key();
  const { path, asked } = await startAgent({
    listIdentities: () => [{ keyBlob: key.publicKey, comment: 'key of the phone' }],
    sign: async ({ keyBlob, data }) =>
      keyBlob.equals(key.publicKey) ? signWithP256(key, data) : null,
  });
  const directory = temporaryDirectory();
  const line = publicKeyLine(publicIdentity(key.publicKey, 'key of the phone'));
  const publicKey = join(directory, 'id.pub');
  writeFileSync(publicKey, `${line}\n`);
  // What asks for a passphrase gets this one, without a terminal.
  const askpass = join(directory, 'askpass');
  writeFileSync(askpass, '#!/bin/sh\necho secret\n');
  chmodSync(askpass, 0o700);

  async function run(command: string, ...args: string[]) {
    const env = {
      PATH: process.env['PATH'],
      HOME: directory,
      SSH_AUTH_SOCK: path,
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: 'force',
    };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { status: status as number | null, stdout, stderr };
  }

  return { key, line, publicKey, directory, asked, run };
}

describe.skipIf(!hasSshAdd)(
  `OpenSSH’s tools${hasSshAdd ? '' : ' (skipped: no ssh-add on this machine)'}`,
  () => {
    test('list the key, as a fingerprint and as a line', async () => {
      const { line, run } = await startStory();
      const short = await run('ssh-add', '-l');
      expect(short.status).toBe(0);
      expect(short.stdout).toMatch(/^256 SHA256:[\w+/]{43} key of the phone \(ECDSA\)\n$/);
      expect(await run('ssh-add', '-L')).toEqual({ status: 0, stdout: `${line}\n`, stderr: '' });
    });

    test('say that there are no identities where there are none', async () => {
      const { path } = await startAgent();
      const child = spawn('ssh-add', ['-l'], { env: { ...process.env, SSH_AUTH_SOCK: path } });
      const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
      expect({ status, stdout }).toEqual({
        status: 1,
        stdout: 'The agent has no identities.\n',
      });
    });

    test('try the key and find that its signature holds', async () => {
      const { publicKey, asked, run } = await startStory();
      expect(await run('ssh-add', '-T', publicKey)).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(asked).toHaveLength(1);
    });

    test('sign a file with it, and verify that', async () => {
      const { publicKey, directory, run } = await startStory();
      const file = join(directory, 'letter');
      writeFileSync(file, 'a letter');
      const signing = ['-Y', 'sign', '-n', 'file', '-f', publicKey, file];
      expect(await run('ssh-keygen', ...signing)).toMatchObject({ status: 0 });
      const verifying = ['-Y', 'check-novalidate', '-n', 'file', '-s', `${file}.sig`];
      const child = spawn('ssh-keygen', verifying, { stdio: ['pipe', 'pipe', 'ignore'] });
      child.stdin?.end(readFileSync(file));
      expect(await once(child, 'close')).toEqual([0, null]);
    });

    test('hear of failure when another key is to sign, and write no signature', async () => {
      const { directory, run } = await startStory();
      const other = generateP256Key();
      const publicKey = join(directory, 'other.pub');
      writeFileSync(publicKey, `${publicKeyLine(publicIdentity(other.publicKey, 'other'))}\n`);
      const file = join(directory, 'letter');
      writeFileSync(file, 'a letter');
      const signing = ['-Y', 'sign', '-n', 'file', '-f', publicKey, file];
      expect((await run('ssh-keygen', ...signing)).status).not.toBe(0);
      expect(existsSync(`${file}.sig`)).toBe(false);
    });

    test('cannot add a key, neither for good nor for a while', async () => {
      const { line, directory, asked, run } = await startStory();
      const file = join(directory, 'id_ed25519');
      await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file);
      for (const limits of [[], ['-t', '60'], ['-c']]) {
        expect(await run('ssh-add', ...limits, file)).toEqual({
          status: 1,
          stdout: '',
          stderr: `Could not add identity "${file}": agent refused operation\n`,
        });
      }
      expect((await run('ssh-add', '-L')).stdout).toBe(`${line}\n`);
      expect(asked).toEqual([]);
    });

    test.each([
      ['remove the key', (publicKey: string) => ['-d', publicKey], 'Could not remove identity'],
      ['remove every key', () => ['-D'], 'Failed to remove all identities'],
      ['lock it', () => ['-x'], 'Failed to lock agent'],
      ['unlock it', () => ['-X'], 'Failed to unlock agent'],
      ['have it load a library', () => ['-s', '/bin/true'], 'Could not add card "/bin/true"'],
      ['have it unload one', () => ['-e', '/bin/true'], 'Could not remove card "/bin/true"'],
    ])('cannot %s', async (_what, args, complaint) => {
      const { line, publicKey, asked, run } = await startStory();
      const outcome = await run('ssh-add', ...args(publicKey));
      expect(outcome).toMatchObject({ status: 1 });
      expect(outcome.stderr).toContain(complaint);
      expect((await run('ssh-add', '-L')).stdout).toBe(`${line}\n`);
      expect(asked).toEqual([]);
    });
  },
);

describe.skipIf(!hasSshd)(`ssh${hasSshd ? '' : ' (skipped: no sshd on this machine)'}`, () => {
  test('logs in through the agent, and has bound the session that it signs for', async () => {
    const { line, asked, run } = await startStory();
    const sshd = await startSshd({ authorizedKeys: [line] });
    onTestFinished(() => sshd.stop());
    const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
    const to = ['-p', String(sshd.port), `${userInfo().username}@${sshd.address}`];
    const outcome = await run(
      'ssh',
      '-F',
      'none',
      '-o',
      'BatchMode=yes',
      ...known,
      ...to,
      'echo hi',
    );
    expect(outcome).toMatchObject({ status: 0, stdout: 'hi\n' });

    expect(asked).toHaveLength(1);
    const [{ connection, data } = expect.fail('nothing was signed')] = asked;
    const hostKey = sshd.hostKeys.ed25519?.publicKey.split(' ')[1] ?? '';
    expect(connection.bindFailed).toBe(false);
    expect(connection.binds).toEqual([
      {
        hostKey: Buffer.from(hostKey, 'base64'),
        sessionId: data.subarray(4, 4 + data.readUInt32BE()),
        signature: expect.any(Buffer),
        isForwarding: false,
      },
    ]);
  });
});
