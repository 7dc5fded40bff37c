import { spawnSync } from 'node:child_process';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PinnedHostKey } from '../../adapters/ssh/known-hosts.ts';
import { logIn, makeIdentity, runSshPort, type Harness } from '../support/ssh-port.ts';
import {
  hasSshd,
  makeHostKey,
  startSshd,
  type HostKeyFile,
  type Sshd,
  type SshdOptions,
} from '../support/sshd.ts';

const patiently = { timeout: 10_000 };

const identity = makeIdentity('key');

describe.skipIf(!hasSshd)("the server's host key (skipped where there is no sshd)", () => {
  let server: Sshd;
  let runs: Harness[];
  let knownHosts: string;
  let config: string[];

  const start = async (options: SshdOptions = {}): Promise<void> => {
    server = await startSshd({ authorizedKeys: [identity.line], ...options });
    knownHosts = join(server.directory, 'known_hosts');
    config = [`UserKnownHostsFile ${knownHosts}`, 'GlobalKnownHostsFile /dev/null'];
  };
  const connect = async (host: string, pins: PinnedHostKey[] = []): Promise<Harness> => {
    const configFile = join(server.directory, 'ssh_config');
    await writeFile(configFile, `${config.join('\n')}\n`);
    const run = runSshPort({ host, port: server.port, user: null }, { configFile, pins });
    runs.push(run);
    return run;
  };
  const know = (line: string): Promise<void> => appendFile(knownHosts, `${line}\n`);
  const serverKey = (type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): HostKeyFile => {
    const key = server.hostKeys[type];
    if (key === undefined) throw new Error(`the server has no ${type} host key`);
    return key;
  };
  const otherKey = (type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): HostKeyFile =>
    makeHostKey(join(server.directory, `other_${type}`), type);

  beforeEach(() => {
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.stop();
    await server.stop();
  });

  it('is known when known_hosts has it for host and port', async () => {
    await start();
    await know(`[127.0.0.1]:${server.port} ${serverKey().publicKey}`);
    const run = await connect('127.0.0.1');
    expect(await verdict(run)).toMatchObject({
      type: 'ssh.hostKeyKnown',
      fingerprint: fingerprint(serverKey()),
      keyType: 'ssh-ed25519',
    });
    await run.next('ssh.publickeyWanted');
    expect(run.pinned).toEqual([]);
  });

  it('is unknown when known_hosts has it for another port', async () => {
    await start();
    await know(`127.0.0.1 ${serverKey().publicKey}`);
    expect((await verdict(await connect('127.0.0.1'))).type).toBe('ssh.hostKeyUnknown');
  });

  it('is found under a hashed name', async () => {
    await start();
    await know(`[127.0.0.1]:${server.port} ${serverKey().publicKey}`);
    spawnSync('ssh-keygen', ['-H', '-f', knownHosts]);
    expect((await verdict(await connect('127.0.0.1'))).type).toBe('ssh.hostKeyKnown');
  });

  it('is looked for under HostKeyAlias, whatever the host and port', async () => {
    await start();
    await know(`the-alias ${serverKey().publicKey}`);
    config.unshift('Host web', 'HostName 127.0.0.1', 'HostKeyAlias the-alias');
    const run = await connect('web');
    expect((await verdict(run)).type).toBe('ssh.hostKeyKnown');
    expect(run.facts[0]).toMatchObject({ hostname: '127.0.0.1', port: server.port });
  });

  it('has changed when known_hosts has another one of that type, and nothing is sent', async () => {
    await start();
    const expected = otherKey();
    await know(`[127.0.0.1]:${server.port} ${expected.publicKey}`);
    const run = await connect('127.0.0.1');
    expect(await verdict(run)).toMatchObject({
      type: 'ssh.hostKeyChanged',
      fingerprint: fingerprint(serverKey()),
      known: fingerprint(expected),
    });
    run.send({ type: 'ssh.acceptHostKey' });
    await expect
      .poll(() => server.log(), patiently)
      .toMatch(/(closed|reset|disconnect).*\[preauth\]/i);
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.hostKeyChanged']);
    expect(run.pinned).toEqual([]);
  });

  it('has changed when the server has only another type than the known one', async () => {
    await start({ hostKeyTypes: ['ed25519'] });
    const expected = otherKey('rsa');
    await know(`[127.0.0.1]:${server.port} ${expected.publicKey}`);
    expect(await verdict(await connect('127.0.0.1'))).toMatchObject({
      type: 'ssh.hostKeyChanged',
      known: fingerprint(expected),
    });
  });

  it('is revoked when any line says so, even beside one that knows it', async () => {
    await start();
    await know(`[127.0.0.1]:${server.port} ${serverKey().publicKey}`);
    await know(`@revoked * ${serverKey().publicKey}`);
    const run = await connect('127.0.0.1');
    expect((await verdict(run)).type).toBe('ssh.hostKeyRevoked');
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.hostKeyRevoked']);
  });

  it('is asked for in the known type when the server has a better one too', async () => {
    await start({ hostKeyTypes: ['ed25519', 'rsa'] });
    await know(`[127.0.0.1]:${server.port} ${serverKey('rsa').publicKey}`);
    expect(await verdict(await connect('127.0.0.1'))).toMatchObject({
      type: 'ssh.hostKeyKnown',
      keyType: 'ssh-rsa',
    });
  });

  it('is unknown when only a certificate authority is known: ssh2 takes no host certificates', async () => {
    await start();
    const authority = otherKey('ecdsa');
    const { path } = serverKey();
    const sign = ['-s', authority.path, '-I', 'host', '-h', '-n', '127.0.0.1', `${path}.pub`];
    spawnSync('ssh-keygen', sign);
    await know(`@cert-authority * ${authority.publicKey}`);
    expect((await verdict(await connect('127.0.0.1'))).type).toBe('ssh.hostKeyUnknown');
  });

  it('is known by our own pin, and changed by a pin of another key', async () => {
    await start();
    const run = await connect('127.0.0.1', [pinOf(serverKey(), server.port)]);
    expect((await verdict(run)).type).toBe('ssh.hostKeyKnown');
    const changed = await connect('127.0.0.1', [pinOf(otherKey(), server.port)]);
    expect((await verdict(changed)).type).toBe('ssh.hostKeyChanged');
  });

  it('ends the connection without a pin when the person rejects it', async () => {
    await start();
    const run = await connect('127.0.0.1');
    await run.next('ssh.hostKeyUnknown');
    run.send({ type: 'ssh.rejectHostKey' });
    await expect
      .poll(() => server.log(), patiently)
      .toMatch(/(closed|reset|disconnect).*\[preauth\]/i);
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.hostKeyUnknown']);
    expect(run.pinned).toEqual([]);
  });

  it('holds the handshake until the person decides', async () => {
    await start({ config: ['LogLevel DEBUG1'] });
    const run = await connect('127.0.0.1');
    await run.next('ssh.hostKeyUnknown');
    expect(server.log()).not.toContain('userauth-request');
    await logIn(run, [identity]);
    expect(server.log()).toContain('userauth-request');
    expect(run.pinned).toHaveLength(1);
  });

  it('sends nothing under a key that could not be pinned', async () => {
    await start({ config: ['LogLevel DEBUG1'] });
    const run = runSshPort(
      { host: '127.0.0.1', port: server.port, user: null },
      {
        pinHostKey: () => {
          throw new Error('disk full');
        },
      },
    );
    runs.push(run);
    await run.next('ssh.hostKeyUnknown');
    run.send({ type: 'ssh.acceptHostKey' });
    await expect
      .poll(() => server.log(), patiently)
      .toMatch(/(closed|reset|disconnect).*\[preauth\]/i);
    expect(server.log()).not.toContain('userauth-request');
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.hostKeyUnknown', 'ssh.failed']);
    expect(run.facts[2]).toMatchObject({ detail: expect.stringContaining('disk full') });
  });

  it('reports a server that hangs up before the person decides', async () => {
    await start();
    const run = await connect('127.0.0.1');
    await run.next('ssh.hostKeyUnknown');
    server.killSessions();
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'serverClosed' });
  });

  it('is refused unasked when ssh_config demands a known one', async () => {
    await start();
    config.push('StrictHostKeyChecking yes');
    expect(await verdict(await connect('127.0.0.1'))).toMatchObject({
      type: 'ssh.failed',
      reason: 'sshConfigUnusable',
    });
  });

  it('is still asked about when ssh_config would take any', async () => {
    await start();
    config.push('StrictHostKeyChecking no');
    expect((await verdict(await connect('127.0.0.1'))).type).toBe('ssh.hostKeyUnknown');
  });
});

/** What the port made of the server's host key. */
function verdict(run: Harness) {
  return run.next(
    'ssh.hostKeyKnown',
    'ssh.hostKeyUnknown',
    'ssh.hostKeyChanged',
    'ssh.hostKeyRevoked',
    'ssh.failed',
  );
}

function pinOf({ publicKey }: HostKeyFile, port: number): PinnedHostKey {
  const key = publicKey.split(' ')[1] ?? '';
  return { name: '127.0.0.1', port, keyType: 'ssh-ed25519', key };
}

function fingerprint(key: HostKeyFile): string {
  return (
    spawnSync('ssh-keygen', ['-lf', `${key.path}.pub`])
      .stdout.toString()
      .split(' ')[1] ?? ''
  );
}
