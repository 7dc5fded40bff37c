import { Buffer } from 'node:buffer';
import { userInfo } from 'node:os';
import ssh2, { type ConnectConfig, type NextAuthHandler, type SignCallback } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIdentity, signAs, string } from '../support/ssh-port.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const [one, two] = [makeIdentity('one'), makeIdentity('two')];
const username = userInfo().username;

/** ssh2 takes `false` too, though its types do not say so. */
function giveUp(next: NextAuthHandler): void {
  (next as (method: unknown) => void)(false);
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
});
