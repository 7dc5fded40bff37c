import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import ssh2, { type Connection, type ParsedKey, type PublicKeyAuthContext } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newHostKey } from '../../app/demo/host-key.ts';
import { readDestinationProof } from '../../adapters/keys/destination-proof.ts';
import { readSignData } from '../../adapters/keys/sign-data.ts';
import { fingerprintOf } from '../../adapters/ssh/blobs.ts';
import { bindLoginsToHost, type BoundLogins } from '../../adapters/ssh/hostbound.ts';
import type { Sign, SignedRequest, Ssh2Insides } from '../../adapters/ssh/ssh2-insides.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import {
  logIn,
  makeIdentity,
  publicPart,
  runSshPort,
  signAs,
  string,
  type Harness,
} from '../support/ssh-port.ts';
import { hasSshd, startSshd, type HostKeyType, type Sshd } from '../support/sshd.ts';

const patiently = { timeout: 10_000 };
const identity = makeIdentity('key');
const HOSTBOUND = 'publickey-hostbound-v00@openssh.com';

let runs: Harness[] = [];

function connect(host: string, port: number, session: { command?: string } = {}): Harness {
  const run = runSshPort({ host, port, user: null }, { session });
  runs.push(run);
  return run;
}

/** Goes as far as the sheet. */
async function offer(run: Harness): Promise<{ requestId: string; challenge: Buffer }> {
  await run.next('ssh.hostKeyUnknown');
  run.send({ type: 'ssh.acceptHostKey' });
  await run.next('ssh.publickeyWanted');
  run.send({ type: 'ssh.offer', identities: [publicPart(identity)] });
  const { requestId } = await run.next('ssh.identityAccepted');
  const challenge = run.vault.challenge(requestId);
  if (challenge === null) throw new Error('nothing to sign');
  return { requestId, challenge: Buffer.from(challenge) };
}

function approve(run: Harness, requestId: string, challenge: Buffer): void {
  run.vault.putSignature(requestId, signAs(identity, challenge));
  run.send({ type: 'ssh.handOver', requestId });
}

function proofOf(run: Harness, requestId: string, challenge: Buffer) {
  const read = readSignData(challenge);
  if (read === null) throw new Error('the challenge is not readable');
  return readDestinationProof(read, run.vault.binds(requestId));
}

/** Reaches into ssh2 as soon as it is told to connect. */
function change(how: (protocol: object) => void): void {
  const original = ssh2.Client.prototype.connect;
  vi.spyOn(ssh2.Client.prototype, 'connect').mockImplementation(function (
    this: ssh2.Client,
    config,
  ) {
    original.call(this, config);
    how(Reflect.get(this, '_protocol') as object);
    return this;
  });
}

/** Makes what is written there be forgotten. */
function keepAsItIs(protocol: object, name: string): void {
  const value: unknown = Reflect.get(protocol, name);
  Object.defineProperty(protocol, name, { get: () => value, set: () => {} });
}

afterEach(() => {
  vi.restoreAllMocks();
  for (const run of runs) run.stop();
  runs = [];
});

describe.skipIf(!hasSshd)('a server that takes hostbound logins (skipped without sshd)', () => {
  let server: Sshd;

  const start = async (type: HostKeyType, ...config: string[]): Promise<void> => {
    server = await startSshd({
      hostKeyTypes: [type],
      authorizedKeys: [identity.line],
      config: ['LogLevel DEBUG1', ...config],
    });
  };
  const signedRequests = (): number =>
    server
      .log()
      .split('\n')
      .filter((line) => line.includes(`method ${HOSTBOUND}`)).length;
  afterEach(() => server.stop());

  it.each<HostKeyType>(['ed25519', 'ecdsa', 'rsa'])(
    'gets one, bound to its %s host key, which its first key exchange proves',
    async (type) => {
      await start(type);
      const run = connect(server.address, server.port);
      const { requestId, challenge } = await offer(run);
      const hostKey = Buffer.from(server.hostKeys[type]?.publicKey.split(' ')[1] ?? '', 'base64');
      expect(readSignData(challenge)).toMatchObject({ kind: 'hostbound', hostKey });
      expect(run.vault.binds(requestId)).toMatchObject([{ hostKey, isForwarding: false }]);
      expect(proofOf(run, requestId, challenge)).toMatchObject({
        ok: true,
        strength: 'bound',
        host: { fingerprint: fingerprintOf(hostKey) },
        hops: [],
      });
      expect(signedRequests()).toBe(0);

      approve(run, requestId, challenge);
      await run.next('ssh.closed');
      expect(run.types().slice(-3)).toEqual([
        'ssh.identityAccepted',
        'ssh.authenticated',
        'ssh.closed',
      ]);
      expect(run.facts.at(-1)).toMatchObject({ status: 0 });
      await expect.poll(signedRequests, patiently).toBe(1);
      expect(run.vault.binds(requestId)).toEqual([]);
    },
  );

  it('gets no signed request at all when the person denies', async () => {
    await start('ed25519');
    const run = connect(server.address, server.port);
    const { requestId } = await offer(run);
    run.stop();
    await expect.poll(() => server.log(), patiently).toContain('[preauth]');
    await expect
      .poll(() => server.log(), patiently)
      .toMatch(/Connection (closed|reset)|Disconnected/);
    expect(signedRequests()).toBe(0);
    expect(server.log()).not.toContain('Accepted publickey');
    expect(run.vault.binds(requestId)).toEqual([]);
    expect(run.types().filter((type) => type === 'ssh.identityAccepted')).toHaveLength(1);
  });

  it('may exchange keys again and again after the login', async () => {
    await start('ed25519', 'RekeyLimit 64K');
    const run = connect(server.address, server.port, { command: 'head -c 300000 /dev/zero' });
    let received = 0;
    run.stdout.on('data', (chunk: Buffer) => (received += chunk.length));
    await logIn(run, [identity]);
    await run.next('ssh.closed');
    expect([run.facts.at(-1), received]).toMatchObject([{ status: 0 }, 300_000]);
    expect(server.log().match(/rekeying/g)?.length).toBeGreaterThan(1);
  });
});

describe('a server that announces no hostbound logins', () => {
  const hostKey = newHostKey();
  const own = ssh2.utils.parseKey(hostKey) as ParsedKey;
  const key = ssh2.utils.parseKey(identity.line) as ParsedKey;
  let server: ssh2.Server;
  let port: number;
  let beforeRefusing: (connection: Connection, proceed: () => void) => void;
  let signedRequests: boolean[];

  beforeEach(async () => {
    beforeRefusing = (_, proceed) => proceed();
    signedRequests = [];
    server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
      connection.on('error', () => {});
      connection.on('authentication', (context) => {
        if (context.method !== 'publickey') {
          beforeRefusing(connection, () => context.reject(['publickey']));
        } else if (context.signature === undefined) context.accept();
        else {
          const isGood = isSigned(context);
          signedRequests.push(isGood);
          if (isGood) context.accept();
          else context.reject();
        }
      });
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          channel.exit(0);
          channel.end();
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as { port: number });
  });
  afterEach(() => {
    server.close();
  });
  const isSigned = ({ blob, signature }: PublicKeyAuthContext): boolean =>
    blob !== undefined && signature !== undefined && key.verify(blob, signature) === true;

  it('gets a plain login, and its first key exchange is kept as the proof', async () => {
    const run = connect('127.0.0.1', port);
    const { requestId, challenge } = await offer(run);
    expect(readSignData(challenge)).toMatchObject({ kind: 'publickey', hostKey: null });
    expect(run.vault.binds(requestId)).toMatchObject([{ hostKey: own.getPublicSSH() }]);
    expect(proofOf(run, requestId, challenge)).toMatchObject({
      ok: true,
      strength: 'vouched',
      host: { fingerprint: fingerprintOf(own.getPublicSSH()) },
    });
    approve(run, requestId, challenge);
    expect(await run.next('ssh.closed', 'ssh.failed')).toMatchObject({ status: 0 });
    expect(signedRequests).toEqual([true]);
  });

  it('proves with its first key exchange when it has had another before the login', async () => {
    beforeRefusing = (connection, proceed) => connection.rekey(proceed);
    const run = connect('127.0.0.1', port);
    const { requestId, challenge } = await offer(run);
    expect(proofOf(run, requestId, challenge)).toMatchObject({ ok: true, strength: 'vouched' });
    approve(run, requestId, challenge);
    expect(await run.next('ssh.closed', 'ssh.failed')).toMatchObject({ status: 0 });
    expect(signedRequests).toEqual([true]);
  });

  it('gets what was approved during a key exchange as soon as that is over', async () => {
    let protocol: object = {};
    change((own) => (protocol = own));
    const run = connect('127.0.0.1', port);
    const { requestId, challenge } = await offer(run);
    Reflect.apply(Reflect.get(protocol, 'rekey') as () => void, protocol, []);
    approve(run, requestId, challenge);
    expect(await run.next('ssh.closed', 'ssh.failed')).toMatchObject({ status: 0 });
    expect(signedRequests).toEqual([true]);
  });

  /** The facts from the offer on; nothing may be asked of a phone. */
  const failure = async () => {
    const run = connect('127.0.0.1', port);
    if ((await run.next('ssh.hostKeyUnknown', 'ssh.failed')).type === 'ssh.hostKeyUnknown') {
      run.send({ type: 'ssh.acceptHostKey' });
      await run.next('ssh.publickeyWanted');
      run.send({ type: 'ssh.offer', identities: [publicPart(identity)] });
    }
    const { reason, detail } = await run.next('ssh.failed');
    expect(run.types()).not.toContain('ssh.identityAccepted');
    expect(run.vault.challenge('request-1')).toBeNull();
    expect(signedRequests).toEqual([]);
    return { reason, detail };
  };

  it('is not even talked to when ssh2 is built otherwise', async () => {
    change((protocol) => Reflect.deleteProperty(protocol, '_authsQueue'));
    expect(await failure()).toEqual({
      reason: 'internalError',
      detail: 'this ssh2 is not the one that the program was made for',
    });
  });

  it("has nothing signed for it when ssh2 hides the server's signature", async () => {
    change((protocol) => {
      const verify = Reflect.get(protocol, '_hostVerifier') as (...args: unknown[]) => unknown;
      Reflect.set(protocol, '_hostVerifier', (...args: unknown[]) => {
        const exchange = Reflect.get(protocol, '_kex') as object;
        const signature: unknown = Reflect.get(exchange, '_sig');
        Reflect.set(exchange, '_sig', undefined);
        const answer = verify(...args);
        Reflect.set(exchange, '_sig', signature);
        return answer;
      });
    });
    expect(await failure()).toEqual({
      reason: 'internalError',
      detail: "ssh2 does not show the server's proof of its host key",
    });
  });

  it('has nothing signed for it when ssh2 does not show what it announces', async () => {
    change((protocol) => {
      keepAsItIs(protocol, '_onPayload');
    });
    expect(await failure()).toEqual({
      reason: 'internalError',
      detail: 'ssh2 does not show what the server announces',
    });
  });

  it('has nothing signed for it when ssh2 makes the request itself', async () => {
    change((protocol) => {
      keepAsItIs(protocol, 'authPK');
    });
    expect(await failure()).toEqual({
      reason: 'internalError',
      detail: 'ssh2 asks for a signature over what was not made here',
    });
  });

  it('is told of nothing when the signature cannot be sent', async () => {
    let packets: { write: object } | undefined;
    change((protocol) => {
      packets = Reflect.get(protocol, '_packetRW') as { write: object };
    });
    const run = connect('127.0.0.1', port);
    const { requestId, challenge } = await offer(run);
    Reflect.set(packets?.write ?? {}, 'alloc', () => Buffer.of());
    approve(run, requestId, challenge);
    const { reason, detail } = await run.next('ssh.failed');
    expect(reason).toBe('internalError');
    expect(detail).toMatch(/^ssh2 did not send the signature: /);
    expect(signedRequests).toEqual([]);
  });
});

/** SSH_MSG_EXT_INFO (RFC 8308 §2.3). */
function announcement(...extensions: [name: string, value: string][]): Buffer {
  const count = Buffer.of(0, 0, 0, extensions.length);
  return Buffer.concat([Buffer.of(7), count, ...extensions.flat().map(string)]);
}

describe('the signed request', () => {
  const key = ssh2.utils.parseKey(identity.line) as ParsedKey;
  const sessionId = Buffer.alloc(32, 1);
  const proof: SessionBind = {
    hostKey: Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32, 2))]),
    sessionId,
    signature: Buffer.from('of the server'),
    isForwarding: false,
  };
  const hostbound = announcement(['publickey-hostbound@openssh.com', '0']);

  let sent: Buffer[];
  let refusals: string[];
  let sessionIdNow: Buffer | null;
  let receive: (payload: Buffer) => void;
  let isWatched: boolean;
  let request: SignedRequest;
  let logins: BoundLogins;

  const bindTo = (bind: SessionBind | null): void => {
    sent = [];
    refusals = [];
    sessionIdNow = sessionId;
    isWatched = true;
    const insides: Ssh2Insides = {
      sessionId: () => sessionIdNow,
      kexSignature: () => null,
      watchPackets(see) {
        receive = see;
        return () => (isWatched = false);
      },
      replaceSignedRequests: (own) => (request = own),
      sendRequest: (payload) => void sent.push(payload),
    };
    logins = bindLoginsToHost({
      insides,
      bind: () => bind,
      refuse: (detail) => void refusals.push(detail),
    });
  };
  interface Asked {
    challenge: Buffer;
    done: (signature: Buffer) => void;
  }
  /** What ssh2 asks for after SSH_MSG_USERAUTH_PK_OK. */
  const ask = (algorithm?: string): Asked[] => {
    const asked: Asked[] = [];
    const sign: Sign = (challenge, done) => asked.push({ challenge, done });
    request('someone', key, algorithm, sign);
    return asked;
  };
  const kindsAsked = (): unknown[] => ask().map(({ challenge }) => readSignData(challenge)?.kind);
  beforeEach(() => bindTo(proof));

  it.each([
    ['hostbound', hostbound],
    ['publickey', announcement(['server-sig-algs', 'ssh-ed25519'])],
  ])('sends as %s exactly what was signed', (kind, packet) => {
    receive(packet);
    const [asked] = ask();
    if (asked === undefined) throw new Error('nothing was asked');
    const challenge = Buffer.from(asked.challenge);
    expect(readSignData(challenge)).toMatchObject({ kind, user: 'someone', sessionId });
    expect(logins.proofOf(asked.challenge)).toBe(proof);
    expect(logins.proofOf(challenge)).toBeNull();

    // The vault erases the challenge before the signature is handed over.
    asked.challenge.fill(0);
    const blob = Buffer.from('a signature blob');
    asked.done(blob);
    expect(sent).toEqual([Buffer.concat([challenge.subarray(4 + 32), string(blob)])]);
    expect(refusals).toEqual([]);
  });

  it.each([
    ['another version', announcement(['publickey-hostbound@openssh.com', '1'])],
    ['a longer version', announcement(['publickey-hostbound@openssh.com', '00'])],
    ['another name', announcement(['publickey-hostbound', '0'])],
    ['too much', Buffer.concat([hostbound, Buffer.of(0)])],
    ['less than it counts', Buffer.concat([Buffer.of(7, 255, 255, 255, 255), hostbound])],
  ])('is not bound for a server that announces %s', (_, packet) => {
    receive(packet);
    expect(kindsAsked()).toEqual(['publickey']);
  });

  it('is not bound for a server whose announcement is cut off anywhere', () => {
    for (let end = 1; end < hostbound.length; end++) {
      bindTo(proof);
      receive(hostbound.subarray(0, end));
      expect(kindsAsked()).toEqual(['publickey']);
    }
  });

  it('is bound once that was announced, whatever is announced later', () => {
    receive(hostbound);
    receive(announcement());
    expect(kindsAsked()).toEqual(['hostbound']);
  });

  it('needs no packet any more when the login is complete', () => {
    receive(hostbound);
    expect(isWatched).toBe(true);
    receive(Buffer.of(52));
    expect(isWatched).toBe(false);
  });

  it('is refused for another session than the proven one, an unproven one and another algorithm', () => {
    const notProven = "ssh2 does not show the server's proof of its host key";
    receive(hostbound);
    sessionIdNow = Buffer.alloc(32, 9);
    expect(ask()).toEqual([]);
    sessionIdNow = null;
    expect(ask()).toEqual([]);
    expect(refusals).toEqual([notProven, notProven]);

    bindTo(null);
    receive(hostbound);
    expect(ask()).toEqual([]);
    expect(refusals).toEqual([notProven]);

    bindTo(proof);
    receive(hostbound);
    expect(ask('ssh-rsa')).toEqual([]);
    expect(refusals).toEqual(['ssh2 asks for a signature of an unknown kind: ssh-rsa']);
    expect(sent).toEqual([]);
  });
});
