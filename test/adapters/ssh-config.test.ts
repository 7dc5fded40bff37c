import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentFor } from '../../adapters/ssh/environment.ts';
import { lookUp, parseKnownHosts } from '../../adapters/ssh/known-hosts.ts';
import { resolveHost, type Resolved, type Target } from '../../adapters/ssh/ssh-config.ts';

const hasSsh = spawnSync('ssh', ['-V']).error === undefined;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ssh-config-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function resolve(config: string, target: Partial<Target> = {}) {
  const configFile = join(directory, 'config');
  await writeFile(configFile, config);
  return resolveHost({ host: 'web', port: null, user: null, configFile, ...target });
}

async function resolved(config: string, target: Partial<Target> = {}): Promise<Resolved> {
  const answer = await resolve(config, target);
  if ('failure' in answer) throw new Error(answer.failure.detail);
  return answer;
}

describe.skipIf(!hasSsh)('ssh_config (skipped where there is no ssh)', () => {
  it('is what ssh -G makes of it', async () => {
    const config = `
      Host web
        HostName Web.Example.Org
        Port 2222
        User deploy
        HostKeyAlias web-key
        UserKnownHostsFile ~/one "/tmp/with space/two"
        GlobalKnownHostsFile /three
        AddressFamily inet6
        ConnectTimeout 5
        ServerAliveInterval 30
        ServerAliveCountMax 4
        SendEnv LC_*
        SetEnv A=b=c`;
    expect(await resolved(config)).toEqual({
      hostname: 'web.example.org',
      port: 2222,
      user: 'deploy',
      hostKeyAlias: 'web-key',
      knownHostsFiles: [join(homedir(), 'one'), '/tmp/with space/two', '/three'],
      refuseUnknownHostKey: false,
      proxy: null,
      connectTimeout: 5000,
      family: 6,
      sendEnv: ['LC_*'],
      setEnv: { A: 'b=c' },
      keepaliveInterval: 30_000,
      keepaliveCountMax: 4,
      source: 'openssh',
    });
  });

  it('gives way to a port and a user that were typed', async () => {
    const answer = await resolved('Port 2222\nUser deploy', { port: 22, user: 'root' });
    expect(answer).toMatchObject({ port: 22, user: 'root' });
  });

  it('takes IPv6 addresses with and without brackets', async () => {
    expect(await resolved('', { host: '[::1]' })).toMatchObject({ hostname: '::1' });
    expect(await resolved('', { host: 'fe80::1%lo' })).toMatchObject({ hostname: 'fe80::1%lo' });
  });

  it('has known_hosts searched under a bracketed name for another port', async () => {
    const file = join(directory, 'known_hosts');
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIGhvc3Qga2V5IGZvciBhIHRlc3Qgb2YgbG9va3VwISE=';
    await writeFile(file, `[::1]:2222 ssh-ed25519 ${key}\nweb ssh-ed25519 ${key}\n`);
    const config = `UserKnownHostsFile ${file}\nGlobalKnownHostsFile /dev/null`;
    const counts: unknown[] = [];
    // One after the other: a file that is being written again would be read empty.
    for (const target of [
      { host: '::1', port: 2222 },
      { host: '::1', port: 22 },
      { host: 'WEB', port: 22 },
      { host: 'web', port: 2222 },
    ]) {
      const found = await lookUp(await resolved(config, target));
      counts.push('failure' in found ? found : found.length);
    }
    expect(counts).toEqual([1, 0, 1, 0]);
  });

  it.each([
    ['RevokedHostKeys /etc/ssh/revoked', 'RevokedHostKeys is not supported here'],
    ['ProxyCommand relay %C', 'ProxyCommand uses %C'],
    ['ProxyCommand relay\nProxyUseFdpass yes', 'ProxyUseFdpass is not supported here'],
    ['HostName "a;b"\nProxyCommand relay %h', 'a host or user that a shell could misread'],
  ])('is refused where it cannot be honoured: %s', async (config, detail) => {
    expect(await resolve(config)).toEqual({
      failure: { reason: 'sshConfigUnusable', detail: expect.stringContaining(detail) },
    });
  });

  it('turns ProxyJump into ssh -W through the hops', async () => {
    const { proxy } = await resolved('HostName inner\nProxyJump a@one:24,two', { host: 'inner' });
    const configFile = join(directory, 'config');
    const options = ['-o', 'BatchMode=yes', '-F', configFile, '-J', 'a@one:24'];
    expect(proxy).toEqual(['ssh', ...options, '-W', '[inner]:22', '--', 'ssh://two']);
  });
});

describe('without OpenSSH on the machine', () => {
  it('the typed name, port 22 and the local user are used, and it says so', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = directory;
    try {
      const answer = await resolveHost({ host: 'Web', port: null, user: null });
      expect(answer).toMatchObject({
        hostname: 'web',
        port: 22,
        user: userInfo().username,
        source: 'defaults',
      });
      if ('failure' in answer) throw new Error(answer.failure.detail);
      expect(await lookUp({ ...answer, knownHostsFiles: [directory] })).toEqual([]);
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('known_hosts lines', () => {
  it('are read with their markers, and left out when they do not parse', () => {
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIGhvc3Qga2V5IGZvciBhIHRlc3Qgb2YgbG9va3VwISE=';
    const lines = parseKnownHosts(`
# Host a found: line 1
a ssh-ed25519 ${key} comment
@revoked * ssh-ed25519 ${key}
@cert-authority *.b\tssh-ed25519 ${key}
@strange a ssh-ed25519 ${key}
a ssh-rsa ${key}
a ssh-ed25519
a ssh-ed25519 !!!
`);
    expect(lines.map(({ marker }) => marker)).toEqual(['none', 'revoked', 'certAuthority']);
  });
});

describe('the environment sent to the server', () => {
  it('is what the patterns name, and SetEnv over it', () => {
    const env = { LANG: 'C', LC_ALL: 'C', LCX: 'x', TOKEN: 'secret', A1: '1', A22: '2' };
    const sent = environmentFor({ sendEnv: ['LANG', 'LC_*', 'A?'], setEnv: { LANG: 'de' } }, env);
    expect(sent).toEqual({ LANG: 'de', LC_ALL: 'C', A1: '1' });
  });
});
