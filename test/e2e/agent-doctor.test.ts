import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAgent } from '../support/agent-story.ts';
import { createBench, type Ended } from '../support/program-driver.ts';
import {
  createIdentity,
  pair,
  PROMPT,
  sshWithConfig,
  startPhone,
  type Phone,
} from '../support/program-story.ts';
import { hasSshd } from '../support/sshd.ts';

const passphrase = 'four words and more';

const bench = createBench();
const phone = bench.device('signer');
const headset = bench.device('vmux');
const socket = join(headset.env['HOME'] ?? '', '.ssh', 'vmux-agent.sock');
const path = (directory: string) => `${directory}:${headset.env['PATH']}`;
let signer: Phone;
/** A directory whose `ssh` reads the lines of `vmux agent ssh-config`. */
let configured: string;

const checked = [
  'event log',
  'multicast',
  'phone found',
  'link',
  'identities',
  'agent',
  'SSH_AUTH_SOCK',
  'ssh_config',
  'ssh -V',
  'agent keys',
  'signature',
];

interface Check {
  hop: string;
  ok: boolean;
  found: string;
  hint: string | null;
}

const checksOf = ({ stdout }: Ended) => JSON.parse(stdout) as Check[];
const find = (checks: Check[], hop: string) => checks.find((check) => check.hop === hop);

/** `vmux doctor` as JSON. */
function doctor(args: string[], env: Record<string, string> = {}) {
  return headset.start(['doctor', '--json', '--phone', signer.address, ...args], { env });
}

/** A directory whose `ssh` says that it is this one. */
function sshCalled(version: string): string {
  const directory = join(bench.directory, version);
  mkdirSync(directory);
  writeFileSync(join(directory, 'ssh'), `#!/bin/sh\necho '${version}, OpenSSL 3.0' >&2\n`);
  chmodSync(join(directory, 'ssh'), 0o755);
  return directory;
}

describe.skipIf(!hasSshd)('vmux doctor and the agent (needs OpenSSH)', () => {
  beforeAll(async () => {
    await createIdentity(phone, 'work', passphrase);
    await pair(headset, phone);
    signer = await startPhone(phone);
    const lines = await headset.run(['agent', 'ssh-config']);
    const directory = join(bench.directory, 'configured');
    mkdirSync(directory);
    configured = sshWithConfig(directory, lines.stdout.trimEnd().split('\n'));
  }, 60_000);
  afterAll(() => bench.clear());

  it('says nothing of an agent that nobody has set up', async () => {
    const { hops, all } = await doctor([]).ended.then((ended) => ({
      hops: checksOf(ended).map(({ hop }) => hop),
      all: ended.stderr,
    }));
    expect(hops).toEqual(['event log', 'multicast', 'phone found', 'link', 'identities']);
    expect(all).toBe('');
  });

  it('names what is missing when there is no agent, and what to do about it', async () => {
    const ended = await doctor(['--agent']).ended;
    expect(ended.status).toBe(1);
    const checks = checksOf(ended);
    expect(checks.map(({ hop }) => hop)).toEqual(checked.slice(0, 9));
    expect(find(checks, 'agent')).toMatchObject({
      ok: false,
      found: `nothing at ${socket}`,
      hint: 'Start it: vmux agent, or for good vmux agent install.',
    });
    expect(find(checks, 'SSH_AUTH_SOCK')).toMatchObject({
      ok: false,
      found: 'not set',
      hint: `export SSH_AUTH_SOCK='${socket}'`,
    });
    expect(find(checks, 'ssh_config')).toMatchObject({
      ok: false,
      found: 'no IdentityAgent: ssh asks another agent, or none',
      hint: 'Add the lines that vmux agent ssh-config prints to ~/.ssh/config.',
    });
    expect(find(checks, 'ssh -V')).toMatchObject({ ok: true });
  });

  it('looks at the socket without being asked when the environment points there', async () => {
    const ended = await doctor([], { SSH_AUTH_SOCK: socket }).ended;
    expect(checksOf(ended).map(({ hop }) => hop)).toEqual(checked.slice(0, 6));
  });

  it('tells a dead socket, and one that others can reach, from an agent', async () => {
    const directory = join(bench.directory, 'open');
    mkdirSync(directory, { mode: 0o700 });
    const at = join(directory, 'agent.sock');
    const silent = createServer((asker) => void asker.destroy());
    await new Promise<void>((resolve) => silent.listen(at, resolve));
    try {
      chmodSync(at, 0o600);
      const dead = checksOf(await doctor(['--socket', at]).ended);
      expect(find(dead, 'agent')?.found).toBe(`nothing answers at ${at}`);
      chmodSync(directory, 0o755);
      const open = checksOf(await doctor(['--socket', at]).ended);
      expect(find(open, 'agent')).toMatchObject({
        ok: false,
        found: `others can reach ${at}`,
        hint: `chmod 700 ${directory}, and start the agent again.`,
      });
    } finally {
      silent.close();
    }
    writeFileSync(at, '');
    const file = checksOf(await doctor(['--socket', at]).ended);
    expect(find(file, 'agent')?.found).toBe(`${at} is no socket`);
    rmSync(directory, { recursive: true });
  });

  it('says which of the lines of ssh_config is missing or wrong, for the host that is named', async () => {
    const helper = join(headset.home, 'agent', 'name-helper');
    const directory = join(bench.directory, 'partly');
    mkdirSync(directory);
    const lines = [
      'Host bare',
      `  IdentityAgent ${socket}`,
      'Host foreign',
      `  IdentityAgent ${socket}`,
      '  KnownHostsCommand /usr/bin/true %H',
      'Host elsewhere',
      '  IdentityAgent /run/other-agent.sock',
      'Host displaced',
      `  IdentityAgent ${socket}`,
      `  KnownHostsCommand ${helper} /run/other-agent.sock -- %I %H %n %p %r %f`,
    ];
    const env = { PATH: path(sshWithConfig(directory, lines)) };
    const about = async (host: string) =>
      find(checksOf(await doctor(['--agent', host], env).ended), 'ssh_config')?.found;
    const hosts = ['bare', 'foreign', 'elsewhere', 'displaced'];
    expect(await Promise.all(hosts.map(about))).toEqual([
      'no KnownHostsCommand: no name and no code for the phone’s sheet',
      'KnownHostsCommand is /usr/bin/true, not the helper',
      'IdentityAgent /run/other-agent.sock: ssh asks another agent, or none',
      'the KnownHostsCommand line names another socket',
    ]);
    chmodSync(helper, 0o600);
    const ended = await doctor(['--agent'], { PATH: path(configured) }).ended;
    expect(find(checksOf(ended), 'ssh_config')).toMatchObject({
      ok: false,
      found: 'the helper of KnownHostsCommand cannot be run',
      hint: 'Run vmux agent ssh-config again.',
    });
    chmodSync(helper, 0o700);
  }, 60_000);

  it('says what the ssh of this machine can prove, by its version', async () => {
    const versions = ['OpenSSH_8.8p1', 'OpenSSH_10.2p1', 'OpenSSH_10.3p1', 'Dropbear v2025.88'];
    const found = versions.map(async (version) => {
      const ended = await doctor(['--agent'], { PATH: path(sshCalled(version)) }).ended;
      const check = find(checksOf(ended), 'ssh -V');
      return [check?.ok, check?.found];
    });
    expect(await Promise.all(found)).toEqual([
      [false, 'OpenSSH_8.8p1 cannot prove destinations'],
      [true, 'OpenSSH_10.2p1 proves destinations (passkeys need 10.3 there)'],
      [true, 'OpenSSH_10.3p1 proves destinations'],
      [false, 'no OpenSSH here'],
    ]);
  }, 60_000);

  describe('with an agent', () => {
    beforeAll(async () => {
      await startAgent(headset, signer);
    }, 30_000);

    it('finds all of it good, the signature too, whose code the phone shows', async () => {
      const running = doctor(['--agent'], { PATH: path(configured), SSH_AUTH_SOCK: socket });
      await running.expect(
        'the phone shows a sheet for a test signature with work: approve it there\n',
      );
      const [, code = ''] = await running.expect(/^Waiting for iPhone signer… code (\d\d)$/m);
      await signer.expect('for   a signature on data that nobody sees here; this is no login');
      await signer.expect('namespace vmux-doctor');
      await signer.expect(`code  ${code}  (the same as on Headset)`);
      await signer.answer(passphrase);
      const checks = checksOf(await running.ended);
      expect(checks.map(({ hop }) => hop)).toEqual(checked);
      expect(checks.slice(3).filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.slice(5).map(({ found }) => found)).toEqual([
        `${socket} answers, yours alone`,
        'points to the agent',
        'IdentityAgent and KnownHostsCommand are in place',
        expect.stringMatching(/^OpenSSH_\S+ proves destinations/),
        'work',
        'by work, verified here',
      ]);
    }, 60_000);

    it('says that the test signature was denied', async () => {
      const running = headset.start(['doctor', '--agent', '--phone', signer.address]);
      await signer.answer('d');
      const { status, stdout } = await running.ended;
      expect(status).toBe(1);
      expect(stdout).toMatch(
        /^FAIL {2}signature +\d+ ms {2}The request was denied on the phone\.\n {6}hint: Nothing was signed\. Approve it next time\.\n$/m,
      );
    }, 60_000);

    it('says that nobody answered the test signature', async () => {
      const running = doctor(['--agent']);
      await signer.expect(PROMPT);
      const ended = await running.ended;
      expect(find(checksOf(ended), 'signature')).toMatchObject({
        ok: false,
        hint: 'The phone showed the request and nobody approved it in time. Look at the phone when you connect.',
      });
    }, 60_000);

    it('says when the environment has another agent, unless ssh_config has this one', async () => {
      const other = { SSH_AUTH_SOCK: '/run/other-agent.sock' };
      const astray = doctor(['--agent'], other);
      await signer.answer('d');
      const checks = checksOf(await astray.ended);
      expect(find(checks, 'SSH_AUTH_SOCK')).toMatchObject({
        ok: false,
        found: 'another agent: /run/other-agent.sock',
        hint: `export SSH_AUTH_SOCK='${socket}'`,
      });
      const bySshConfig = doctor(['--agent'], { ...other, PATH: path(configured) });
      await signer.answer('d');
      expect(find(checksOf(await bySshConfig.ended), 'SSH_AUTH_SOCK')).toMatchObject({
        ok: true,
        found:
          'another agent: /run/other-agent.sock; ssh does not need it, ssh-add and git signing do',
      });
    }, 60_000);
  });
});
