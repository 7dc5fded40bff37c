import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logIn, makeIdentity, runSshPort, type Harness } from '../support/ssh-port.ts';
import { freePort, hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const patiently = { timeout: 10_000 };

let runs: Harness[];
let closing: (() => Promise<void>)[];

function connect(host: string, port: number | null, configFile?: string): Harness {
  const options = configFile === undefined ? {} : { configFile };
  const run = runSshPort({ host, port, user: 'someone' }, options);
  runs.push(run);
  return run;
}

/** A TCP server that greets each connection in its own way. */
async function listen(greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as { port: number }).port;
}

async function sshd(config: string[], authorizedKeys: string[] = []): Promise<Sshd> {
  const server = await startSshd({ config, authorizedKeys });
  closing.push(server.stop);
  return server;
}

beforeEach(() => {
  runs = [];
  closing = [];
});
afterEach(async () => {
  for (const run of runs) run.stop();
  await Promise.all(closing.map((close) => close()));
});

describe('a connection that cannot be made', () => {
  it('names a refused port', async () => {
    const run = connect('127.0.0.1', await freePort());
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'connectionRefused' });
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.failed']);
  });

  it('names a host that does not exist: a label too long for DNS', async () => {
    const run = connect(`${'x'.repeat(64)}.invalid`, 22);
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'hostNotFound' });
  });

  it('names an address that no route leads to', async () => {
    const run = connect('255.255.255.255', 22);
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'hostUnreachable' });
  });

  it.each(['-oProxyCommand=touch x', 'a b', '$(id)', 'a;b', '', '\u001b[2J', '-'])(
    'refuses %j as a host name, and starts nothing',
    async (host) => {
      const run = connect(host, 22);
      expect(await run.next('ssh.failed')).toMatchObject({ reason: 'sshConfigUnusable' });
      expect(run.types()).toEqual(['ssh.failed']);
    },
  );

  it('reports what ssh says of a broken ssh_config, cut to a line', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ssh-config-'));
    closing.push(() => rm(directory, { recursive: true }));
    const configFile = join(directory, 'ssh_config');
    await writeFile(configFile, `NoSuchOption${'x'.repeat(500)} yes\n`);
    const { reason, detail } = await connect('host', 22, configFile).next('ssh.failed');
    expect(reason).toBe('sshConfigUnusable');
    expect(detail).toContain('nosuchoption');
    expect(detail).toHaveLength(301);
  });
});

describe('something that is no SSH server', () => {
  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['an SSH-1 server', 'SSH-1.5-old\r\n'],
    ['a long line', 'x'.repeat(20_000)],
    ['very many lines', 'hello\r\n'.repeat(5000)],
    ['random bytes', '\u0000\u0001\u0002\r\u0003'],
  ])('is told from one by its greeting: %s', async (_, greeting) => {
    const run = connect('127.0.0.1', await listen((socket) => socket.end(greeting)));
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'notAnSshServer' });
    expect(run.types()).toEqual(['ssh.resolved', 'ssh.failed']);
  });

  it('is not claimed of a server that closes without a word', async () => {
    const run = connect('127.0.0.1', await listen((socket) => socket.end()));
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'serverClosed' });
  });

  it('is waited for in silence: the clock is not here', async () => {
    let socket: Socket | null = null;
    const run = connect('127.0.0.1', await listen((accepted) => (socket = accepted.resume())));
    await expect.poll(() => socket, patiently).not.toBeNull();
    run.stop();
    await once(socket as unknown as Socket, 'close');
    expect(run.types()).toEqual(['ssh.resolved']);
  });
});

describe.skipIf(!hasSshd)('a server that is not as it should be (skipped without sshd)', () => {
  it('has no key exchange in common', async () => {
    const server = await sshd(['KexAlgorithms sntrup761x25519-sha512@openssh.com']);
    const run = connect('127.0.0.1', server.port);
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'noCommonAlgorithm' });
  });

  it('cannot prove its host key when someone in the middle swaps it', async () => {
    const server = await sshd([]);
    const real = server.hostKeys.ed25519?.publicKey.split(' ')[1] ?? '';
    const swapped = Buffer.from(real, 'base64');
    swapped.fill(7, 19);
    const port = await listen((socket) => tamper(socket, server.port, real, swapped));
    const run = connect('127.0.0.1', port);
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'badHostKeySignature' });
    run.send({ type: 'ssh.acceptHostKey' });
    expect(run.pinned).toEqual([]);
  });

  it('closes when its LoginGraceTime is over', async () => {
    const identity = makeIdentity('key');
    const server = await sshd(['LoginGraceTime 1'], [identity.line]);
    const run = connect('127.0.0.1', server.port);
    await run.next('ssh.hostKeyUnknown');
    expect(await run.next('ssh.failed')).toMatchObject({ reason: 'serverClosed' });
  });
});

describe.skipIf(!hasSshd)('a connection through another program (skipped without sshd)', () => {
  const identity = makeIdentity('key');

  it('goes through ProxyCommand', async () => {
    const server = await sshd(['PermitRootLogin yes'], [identity.line]);
    const configFile = join(server.directory, 'ssh_config');
    const relay = join(server.directory, 'relay.mjs');
    await writeFile(
      relay,
      `import { connect } from 'node:net';
       const socket = connect(Number(process.argv[3]), process.argv[2]);
       process.stdin.pipe(socket).pipe(process.stdout);`,
    );
    await writeFile(configFile, `ProxyCommand ${process.execPath} ${relay} %h %p\n`);
    const input = { host: '127.0.0.1', port: server.port, user: null };
    const run = runSshPort(input, { configFile, session: { command: 'exit 4' } });
    runs.push(run);
    await logIn(run, [identity]);
    expect(await run.next('ssh.closed')).toMatchObject({ status: 4 });
  });

  it('passes on what a ProxyCommand that fails says', async () => {
    const server = await sshd([]);
    const configFile = join(server.directory, 'ssh_config');
    await writeFile(configFile, 'ProxyCommand echo the bastion is closed >&2; exit 1\n');
    expect(await connect('host', 22, configFile).next('ssh.failed')).toMatchObject({
      reason: 'hostUnreachable',
      detail: expect.stringContaining('the bastion is closed'),
    });
  });

  it('goes through ProxyJump, for which ssh logs in by its own means', async () => {
    const server = await sshd([]);
    const configFile = join(server.directory, 'ssh_config');
    await writeFile(configFile, `Host inner\nProxyJump 127.0.0.1:${server.port}\n`);
    expect(await connect('inner', 22, configFile).next('ssh.failed')).toMatchObject({
      reason: 'hostUnreachable',
      detail: expect.stringMatching(/Host key verification failed|Permission denied/),
    });
  });
});

/** Relays to `port` and replaces the host key blob in the plaintext of the key exchange. */
function tamper(socket: Socket, port: number, real: string, swapped: Buffer): void {
  const original = Buffer.from(real, 'base64');
  const upstream = new (socket.constructor as new () => Socket)();
  upstream.on('error', () => {});
  upstream.connect(port, '127.0.0.1');
  socket.pipe(upstream);
  upstream.on('data', (chunk: Buffer) => {
    const at = chunk.indexOf(original);
    if (at >= 0) swapped.copy(chunk, at);
    socket.write(chunk);
  });
  upstream.on('close', () => socket.end());
}
