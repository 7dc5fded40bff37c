import { Buffer } from 'node:buffer';
import { userInfo } from 'node:os';
import { PassThrough } from 'node:stream';
import ssh2, {
  type Client,
  type ConnectConfig,
  type NextAuthHandler,
  type SignCallback,
} from 'ssh2';
import keyParser from 'ssh2/lib/protocol/keyParser.js';
import utils from 'ssh2/lib/protocol/utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepKexProof } from '../../adapters/ssh/kex-proof.ts';
import { insidesOf, type SendPacket, type Ssh2Insides } from '../../adapters/ssh/ssh2-insides.ts';
import { keyForSsh2 } from '../../adapters/ssh/ssh2-key.ts';
import { newHostKey } from '../../app/demo/host-key.ts';
import { createAuthenticator } from '../support/authenticator.ts';
import { makeIdentity, signAs, string } from '../support/ssh-port.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const [one, two] = [makeIdentity('one'), makeIdentity('two')];
const username = userInfo().username;

/** ssh2 takes `false` too, though its types do not say so. */
function giveUp(next: NextAuthHandler): void {
  (next as (method: unknown) => void)(false);
}

function closed(client: Client): Promise<void> {
  return new Promise((resolve) => {
    client.on('error', () => {}).on('close', () => resolve());
  });
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}

/** Behaviour of ssh2 that the adapter stands on, some of it undocumented. */
describe.skipIf(!hasSshd)('ssh2 with a real sshd (skipped where there is none)', () => {
  let server: Sshd;

  beforeAll(async () => {
    server = await startSshd({ authorizedKeys: [one.line, two.line] });
  });
  afterAll(() => server.stop());

  /** Connects and lists what happened until the connection was closed. */
  const connect = (config: Partial<ConnectConfig>, events: string[] = []): Promise<string[]> =>
    new Promise((resolve) => {
      const client = new ssh2.Client();
      client
        .on('handshake', () => events.push('handshake'))
        .on('ready', () => {
          events.push('ready');
          client.end();
        })
        .on('error', (error) => events.push(`${error.level}: ${error.message}`))
        .on('close', () => resolve(events));
      const { port, address: host } = server;
      client.connect({ host, port, username, readyTimeout: 0, ...config });
    });

  class OneKey extends ssh2.BaseAgent<string> {
    line: string;
    answer: (challenge: Buffer, done: SignCallback) => void;
    constructor(line: string, answer: OneKey['answer']) {
      super();
      this.line = line;
      this.answer = answer;
    }
    getIdentities(done: (error: null, keys: string[]) => void): void {
      done(null, [this.line]);
    }
    override sign(_key: string, challenge: Buffer, ...rest: unknown[]): void {
      this.answer(challenge, rest.at(-1) as SignCallback);
    }
  }
  const agent = (line: string, answer: OneKey['answer']) => ({
    type: 'agent' as const,
    username,
    agent: new OneKey(line, answer),
  });

  it('asks with null methods first, knows them after none, and waits for a late answer', async () => {
    const asked: unknown[] = [];
    const events = await connect({
      hostVerifier: () => true,
      authHandler: (methods: unknown, _partial, next) => {
        asked.push(methods);
        if (methods === null) next('none');
        else setImmediate(() => giveUp(next));
      },
    });
    expect(asked).toEqual([null, ['publickey']]);
    expect(events.at(-1)).toContain('All configured authentication methods failed');
  });

  it('has exactly the bytes of RFC 4252 §7 signed, and takes two mpints for a signature', async () => {
    let challenge = Buffer.alloc(0);
    const events = await connect({
      hostVerifier: () => true,
      authHandler: (methods: unknown, _partial, next) => {
        if (methods === null) next('none');
        else {
          next(
            agent(one.line, (bytes, done) => {
              challenge = Buffer.from(bytes);
              const inner = signAs(one, bytes).subarray(4 + one.algorithm.length + 4);
              done(null, inner);
              inner.fill(0);
            }),
          );
        }
      },
    });
    expect(events).toEqual(['handshake', 'ready']);
    const sessionId = challenge.subarray(4, 4 + challenge.readUInt32BE(0));
    expect(challenge).toEqual(
      Buffer.concat([
        string(sessionId),
        Buffer.of(50),
        string(username),
        string('ssh-connection'),
        string('publickey'),
        Buffer.of(1),
        string(one.algorithm),
        string(Buffer.from(one.publicKey, 'base64')),
      ]),
    );
  });

  it('goes on to the next key after a refusal, which is why it is given one key at a time', async () => {
    const prompts: string[] = [];
    const lines = [one, two];
    const events = await connect({
      hostVerifier: () => true,
      authHandler: (methods: unknown, _partial, next: NextAuthHandler) => {
        const identity = methods === null ? undefined : lines.shift();
        if (methods === null) next('none');
        else if (identity === undefined) giveUp(next);
        else {
          next(
            agent(identity.line, (_, done) => {
              prompts.push(identity.label);
              done(new Error('denied'));
            }),
          );
        }
      },
    });
    expect(prompts).toEqual(['one', 'two']);
    expect(events.slice(1, 3)).toEqual(['agent: denied', 'agent: denied']);
  });

  it('accepts every host key when its verifier returns a promise, which is why ours does not', async () => {
    const events = await connect({
      hostVerifier: (async () => false) as unknown as () => boolean,
      authHandler: ['none'],
    });
    expect(events[0]).toBe('handshake');
  });

  it('emits handshake only after the verifier has answered', async () => {
    const events: string[] = [];
    await connect(
      {
        hostVerifier: (_key: Buffer, answer: (yes: boolean) => void) => {
          setImmediate(() => {
            events.push('answered');
            answer(true);
          });
        },
        authHandler: ['none'],
      },
      events,
    );
    expect(events.slice(0, 2)).toEqual(['answered', 'handshake']);
  });

  const insidesAfter = (client: Client, config: Partial<ConnectConfig> = {}): Ssh2Insides => {
    const { port, address: host } = server;
    client.connect({ host, port, username, readyTimeout: 0, authHandler: ['none'], ...config });
    const insides = insidesOf(client, utils.sendPacket);
    if (insides === null) throw new Error('this ssh2 is another one');
    return insides;
  };
  it('has its protocol as soon as it is told to connect, and not before', () => {
    const client = new ssh2.Client();
    expect(insidesOf(client, utils.sendPacket)).toBeNull();
    client.on('error', () => {});
    insidesAfter(client, { sock: new PassThrough() });
    expect(insidesOf(client, undefined as unknown as SendPacket)).toBeNull();
  });

  it('shows every packet after the key exchange, one of them what sshd announces', async () => {
    const client = new ssh2.Client();
    const types: (number | undefined)[] = [];
    let announced = '';
    insidesAfter(client).watchPackets((payload) => {
      types.push(payload[0]);
      if (payload[0] === 7) announced = payload.toString('latin1');
    });
    await closed(client);
    // SSH_MSG_EXT_INFO, SSH_MSG_SERVICE_ACCEPT, SSH_MSG_USERAUTH_FAILURE
    expect(types).toEqual([7, 6, 51]);
    expect(announced).toContain('publickey-hostbound@openssh.com\0\0\0\x010');
  });

  it('asks for a signed request only after an offer, where another can be put in its place', async () => {
    const client = new ssh2.Client();
    const asked: unknown[] = [];
    let signed = 0;
    insidesAfter(client, {
      authHandler: (methods: unknown, _partial, next: NextAuthHandler) => {
        if (methods === null) next('none');
        else next(agent(one.line, () => signed++));
      },
    }).replaceSignedRequests((user, key, algorithm, sign) => {
      asked.push([user, key.getPublicSSH().toString('base64'), algorithm]);
      const before = signed;
      sign(Buffer.from('challenge'), () => {});
      asked.push(signed - before);
      client.end();
    });
    await closed(client);
    expect(asked).toEqual([[username, one.publicKey, undefined], 1]);
  });

  it('keeps its session id through key exchanges, and shows the signature of each', async () => {
    const rekeying = await startSshd({ authorizedKeys: [one.line], config: ['RekeyLimit 64K'] });
    const client = new ssh2.Client();
    const signatures: string[] = [];
    const sessionIds: string[] = [];
    const sign: OneKey['answer'] = (bytes, done) =>
      done(null, signAs(one, bytes).subarray(4 + one.algorithm.length + 4));
    const insides = insidesAfter(client, {
      port: rekeying.port,
      hostVerifier: (key: Buffer) => {
        proof.claimed(key);
        signatures.push(hex(insides.kexSignature()));
        return true;
      },
      authHandler: (methods: unknown, _partial, next: NextAuthHandler) => {
        if (methods === null) next('none');
        else next(agent(one.line, sign));
      },
    });
    const proof = keepKexProof(() => insides);
    client
      .on('handshake', () => {
        proof.proven();
        sessionIds.push(hex(insides.sessionId()));
      })
      .on('ready', () => {
        client.exec('head -c 300000 /dev/zero', (_, channel) => {
          channel.resume().on('close', () => client.end());
        });
      });
    await closed(client);
    await rekeying.stop();
    expect(signatures.length).toBeGreaterThan(1);
    expect(new Set(signatures).size).toBe(signatures.length);
    expect(signatures).not.toContain('');
    expect(new Set(sessionIds).size).toBe(1);
    const kept = proof.bind();
    expect([hex(kept?.sessionId), hex(kept?.signature)]).toEqual([sessionIds[0], signatures[0]]);
  });
});

describe("ssh2's keys", () => {
  const { parseKey } = keyParser;
  const passkey = createAuthenticator();

  it('of passkeys cannot be parsed, and are taken from one that inherits from a plain key', () => {
    expect(parseKey(passkey.line)).toBeInstanceOf(Error);
    const key = keyForSsh2(parseKey, passkey.blob);
    expect.assert(key !== null);
    expect(ssh2.utils.parseKey(key as unknown as string)).toBe(key);
    expect([key.type, key.getPublicSSH()]).toEqual([passkey.identity.algorithm, passkey.blob]);
    expect(key.isPrivateKey()).toBe(false);
  });

  it('of plain identities are their own, and of nothing else there is one', () => {
    const blob = Buffer.from(one.publicKey, 'base64');
    const key = keyForSsh2(parseKey, blob);
    expect([key?.type, key?.getPublicSSH()]).toEqual([one.algorithm, blob]);
    expect(keyForSsh2(parseKey, blob.subarray(1))).toBeNull();
    expect(keyForSsh2(() => new Error('ssh2 is another one'), blob)).toBeNull();
  });
});

describe('ssh2 without a server', () => {
  it('reads every host key that the demo makes', () => {
    for (let time = 0; time < 500; time += 1) {
      expect(ssh2.utils.parseKey(newHostKey())).not.toBeInstanceOf(Error);
    }
  });
});
