import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicKeyLine } from '../../adapters/keys/public-key.ts';
import { failures } from '../../machines/failures.ts';
import {
  certificateType,
  hostCertificate,
  hostKeyPair,
  type HostKeyPair,
} from '../adapters/host-key-examples.ts';
import { str } from '../adapters/keys-examples.ts';
import { connectAgent, type AgentClient } from '../support/agent-client.ts';
import {
  CODE_PROMPT,
  configureSsh,
  startAgent,
  startClient,
  type Agent,
} from '../support/agent-story.ts';
import type { HostileHeadset } from '../support/hostile-headset.ts';
import { attackedPhone, PASSPHRASE, type AttackedPhone } from '../support/hostile-phone.ts';
import { decide } from '../support/phone-settings.ts';
import { eventsOf } from '../support/program-logs.ts';
import { PROMPT } from '../support/program-story.ts';
import {
  bindOf,
  fingerprintOf,
  hostboundBytes,
  keyLine,
  newHost,
  newSession,
  plainBytes,
  provenRequest,
  signRequest,
  type ProvenMessage,
} from '../support/proofs.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

/** Seconds since 1970. */
const now = () => BigInt(Math.floor(Date.now() / 1000));
const day = 24n * 3600n;

const today = () => new Date().toISOString().slice(0, 10);

/** A note of a running ssh that logs in to this host as `web`. */
const noteOf = (host: HostKeyPair) => {
  const login = ['web', 'web', 22, 'root', fingerprintOf(host), '77'];
  return ['vmux-login-note 1', process.pid, ...login, 'end', ''].join('\n');
};

describe('forged proofs of where a login goes', () => {
  const web = newHost();
  const other = newHost();
  const ca = newHost();
  let attacked: AttackedPhone;
  let work: AttackedPhone['work'];
  let signer: AttackedPhone['signer'];
  let bad: HostileHeadset;
  let shown: number;

  beforeAll(async () => {
    attacked = await attackedPhone();
    ({ work, signer } = attacked);
    await decide(attacked.phone, 'hosts', 'add', 'web', keyLine(web));
    await decide(attacked.phone, 'hosts', 'trust-ca', '*.example', keyLine(ca));
  });
  beforeEach(async () => {
    bad = await attacked.link();
    shown = attacked.sheets();
    signer.skip();
  });
  afterEach(() => attacked.closeLinks());
  afterAll(() => attacked?.bench.clear());

  /** The request is turned down at once: nobody is asked. */
  async function isRefused(request: ProvenMessage, reason: string): Promise<void> {
    bad.say(request);
    const refusal = { t: 'result', id: request.id, outcome: 'failed', reason };
    expect(await bad.resultOf(request.id)).toEqual(refusal);
    expect(bad.saidOf(request.id)).toEqual(['result']);
    expect(attacked.sheets()).toBe(shown);
    expect(attacked.signatures()).toBe(0);
  }

  /** M signs the session id of T, and asks for the plain bytes that T accepts. */
  const relayed = (host = newHost(), change: Parameters<typeof signRequest>[3] = {}) => {
    const session = newSession();
    return signRequest(work, plainBytes(work, session), [bindOf(host, session)], change);
  };

  /** The words of the badge that its sheet shows; the person then denies. */
  async function badgeOf(request: ProvenMessage): Promise<string> {
    bad.say(request);
    const [, words = ''] = await signer.expect(/ {2}to {4}(.*)\n/);
    await signer.expect(/(passphrase \+ Enter approves|shows), d \+ Enter denies: /);
    signer.type('d\n');
    expect(await bad.resultOf(request.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(0);
    return words;
  }

  it('shows a true proof of a pinned host as known: the forgeries below fail by themselves', async () => {
    expect(await badgeOf(provenRequest(work, web))).toBe(`web, known since ${today()}`);
  });

  describe.each<[string, () => ProvenMessage]>([
    [
      'replays the bind of another session',
      () => {
        const replayed = bindOf(web, newSession());
        return signRequest(work, hostboundBytes(work, newSession(), web.blob), [replayed]);
      },
    ],
    [
      'puts the pinned host key into the bind of another host',
      () => {
        const session = newSession();
        const swapped = bindOf(other, session, { hostKey: web.blob });
        return signRequest(work, hostboundBytes(work, session, web.blob), [swapped]);
      },
    ],
    [
      'puts its own host key in the place of the pinned one',
      () => {
        const session = newSession();
        const swapped = bindOf(web, session, { hostKey: other.blob });
        return signRequest(work, hostboundBytes(work, session, other.blob), [swapped]);
      },
    ],
    [
      'writes the session id of the login into a bind that signs another',
      () => {
        const session = newSession();
        const forged = bindOf(web, session, { signature: web.sign(newSession()) });
        return signRequest(work, hostboundBytes(work, session, web.blob), [forged]);
      },
    ],
    [
      'binds the pinned host, and has another one in the bytes',
      () => {
        const session = newSession();
        return signRequest(work, hostboundBytes(work, session, other.blob), [bindOf(web, session)]);
      },
    ],
    [
      'binds another host, and has the pinned one in the bytes',
      () => {
        const session = newSession();
        return signRequest(work, hostboundBytes(work, session, web.blob), [bindOf(other, session)]);
      },
    ],
    [
      'signs the bind by RSA with SHA-1',
      () => {
        const rsa = hostKeyPair('ssh-rsa');
        const session = newSession();
        const signature = rsa.sign(session, { algorithm: 'ssh-rsa', hash: 'sha1' });
        const bind = bindOf(rsa, session, { signature });
        return signRequest(work, hostboundBytes(work, session, rsa.blob), [bind]);
      },
    ],
    [
      'signs the bind with the key of another algorithm’s name',
      () => {
        const session = newSession();
        const signature = web.sign(session, { algorithm: 'ecdsa-sha2-nistp256' });
        const bind = bindOf(web, session, { signature });
        return signRequest(work, hostboundBytes(work, session, web.blob), [bind]);
      },
    ],
    [
      'invents a hop before the true bind',
      () => {
        const session = newSession();
        const hop = bindOf(other, newSession(), { hostKey: web.blob, isForwarding: true });
        const bytes = hostboundBytes(work, session, web.blob);
        return signRequest(work, bytes, [hop, bindOf(web, session)]);
      },
    ],
    [
      'adds the true bind behind its own',
      () => {
        const session = newSession();
        const bytes = hostboundBytes(work, session, web.blob);
        return signRequest(work, bytes, [bindOf(other, newSession()), bindOf(web, session)]);
      },
    ],
  ])('a headset that %s', (_what, forgery) => {
    it('is told that the proof does not hold, and there is no sheet', async () => {
      await isRefused(forgery(), 'proofInvalid');
    });
  });

  it('says what it refuses at the terminal, once for all that is the same', async () => {
    const said =
      'root@web from Hostile: refused; nothing was signed (the proof of where the login goes does not hold)\n';
    await bad.settled();
    expect(attacked.phone.screen().split(said)).toHaveLength(2);
  });

  it('shows a login without any bind as not proven, whatever host it names', async () => {
    const session = newSession();
    const unproven = 'Not proven: the program that asks shows no proof of where this goes';
    for (const bytes of [plainBytes(work, session), hostboundBytes(work, newSession(), web.blob)]) {
      expect(await badgeOf(signRequest(work, bytes, []))).toBe(unproven);
    }
  });

  it('shows a host key that it cannot check as not proven', async () => {
    const session = newSession();
    const blob = Buffer.concat([str('ssh-ed448'), str(randomBytes(57))]);
    const bind = bindOf(web, session, { hostKey: blob });
    const bytes = hostboundBytes(work, session, blob);
    expect(await badgeOf(signRequest(work, bytes, [bind]))).toBe(
      'Not proven: the server has a host key that cannot be checked here',
    );
  });

  describe('with a certificate of the authority that is trusted', () => {
    const certified = (change: Parameters<typeof hostCertificate>[2], authority = ca) => {
      const host = newHost();
      const session = newSession();
      const blob = hostCertificate(host, authority, {
        principals: ['db.example'],
        validAfter: now() - day,
        validBefore: now() + day,
        ...change,
      });
      expect(blob.toString('latin1')).toContain(certificateType('ssh-ed25519'));
      const bytes = hostboundBytes(work, session, host.blob);
      const bind = bindOf(host, session, { hostKey: blob });
      return { host, request: signRequest(work, bytes, [bind], { host: 'db.example' }) };
    };

    it('a host is known', async () => {
      expect(await badgeOf(certified({}).request)).toBe(
        `db.example, known since ${today()}, by its certificate`,
      );
    });

    it.each<[string, Parameters<typeof certified>, string]>([
      [
        'an expired one',
        [{ validBefore: now() - 1n }],
        'Not proven: the certificate of the host has expired',
      ],
      [
        'one that is not valid yet',
        [{ validAfter: now() + day, validBefore: now() + 2n * day }],
        'Not proven: the certificate of the host is not valid yet',
      ],
      [
        'another host’s',
        [{ principals: ['mail.example'] }],
        'Not proven: the certificate of the host is for another one',
      ],
      ['one for users', [{ type: 1 }], 'Not proven: the certificate of the host is one for users'],
      [
        'one that another key has signed',
        [{ caKey: ca.blob }, other],
        'Not proven: the certificate of the host is not signed by its authority',
      ],
    ])('%s proves nothing', async (_what, args, words) => {
      expect(await badgeOf(certified(...args).request)).toBe(words);
    });

    it('one of another authority makes no host known', async () => {
      const { host, request } = certified({}, other);
      expect(await badgeOf(request)).toBe(`New host: ${fingerprintOf(host)} was never seen here`);
    });
  });

  it('refuses a host whose key has changed, in words, and nothing typed approves it', async () => {
    await isRefused(provenRequest(work, other), 'destinationChanged');
    await signer.expect(
      'root@web from Hostile: refused; nothing was signed (the host key has CHANGED since the phone learnt it)',
    );
    const vouched = newSession();
    await isRefused(
      signRequest(work, plainBytes(work, vouched), [bindOf(other, vouched)]),
      'destinationChanged',
    );
    signer.type(`${PASSPHRASE}\n`);
    signer.type('p\n');
    await sleep(800);
    expect(attacked.sheets()).toBe(shown);
    expect(attacked.signatures()).toBe(0);
  });

  it('takes the sheet away when the person learns meanwhile that the key is another', async () => {
    const request = provenRequest(work, other, { host: 'bank' });
    bad.say(request);
    await signer.expect(`New host: ${fingerprintOf(other)} was never seen here`);
    await signer.expect(CODE_PROMPT);
    await decide(attacked.phone, 'hosts', 'add', 'bank', keyLine(web));
    expect(await bad.resultOf(request.id)).toMatchObject({ reason: 'destinationChanged' });
    signer.type(`${request.code}\n`);
    signer.type(`${PASSPHRASE}\n`);
    await sleep(800);
    expect(attacked.signatures()).toBe(0);
  });

  describe('a pinned host M that relays the session id of another server through its own bind', () => {
    it('never gets more than “Vouched for by M”, and the code has to be typed', async () => {
      const m = newHost();
      await decide(attacked.phone, 'hosts', 'add', 'm', keyLine(m));
      const request = relayed(m, { host: 'm', code: '42' });
      bad.say(request);
      const [sheet] = await signer.expect(/SSH Sign Request[^]*?denies: /);
      expect(sheet.split('\n').slice(1, 3)).toEqual([
        '  From Hostile → m  (said by Hostile)',
        '  to    Vouched for by m, which may pass it on to another host',
      ]);
      expect(sheet).toContain('type the code that Hostile shows, d + Enter denies: ');
      expect(sheet).not.toContain('42');
      signer.type(`${PASSPHRASE}\n`);
      await sleep(300);
      expect(signer.unread()).not.toContain(PROMPT);
      for (const [wrong, left] of [
        ['41', '2 tries'],
        ['24', '1 try'],
      ]) {
        signer.type(`${wrong}\n`);
        await signer.expect(`wrong code, ${left} left. type the code that Hostile shows`);
      }
      signer.type('40\n');
      expect(await bad.resultOf(request.id)).toEqual({
        t: 'result',
        id: request.id,
        outcome: 'denied',
        why: 'wrongCode',
      });
      expect(attacked.signatures()).toBe(0);
    });

    it('is named by its key where it has no pin, under whatever name it asks', async () => {
      const m = newHost();
      expect(await badgeOf(relayed(m, { host: 'elsewhere' }))).toBe(
        `Vouched for by ${fingerprintOf(m)}, which may pass it on to another host`,
      );
    });

    it('is refused once M has ever been seen hostbound', async () => {
      const m = newHost();
      await badgeOf(provenRequest(work, m, { host: 'm2' }));
      shown = attacked.sheets();
      await isRefused(relayed(m, { host: 'm2' }), 'vouchedRefused');
      await isRefused(relayed(m, { host: '', port: 0 }), 'vouchedRefused');
    });

    it('loses its sheet when another device shows M hostbound', async () => {
      const m = newHost();
      const request = relayed(m, { host: 'm3' });
      bad.say(request);
      await signer.expect('Vouched for by');
      const honest = await attacked.link(attacked.other);
      const proven = provenRequest(work, m, { host: 'm3' });
      honest.say(proven);
      expect(await bad.resultOf(request.id)).toMatchObject({ reason: 'vouchedRefused' });
      await signer.expect('From Other → m3');
      await signer.expect(CODE_PROMPT);
      signer.type('d\n');
      expect(await honest.resultOf(proven.id)).toMatchObject({ outcome: 'denied' });
      expect(attacked.signatures()).toBe(0);
    });

    it('gets nothing at all when the agent was forwarded', async () => {
      const [m, session] = [newHost(), newSession()];
      const hop = bindOf(m, newSession(), { isForwarding: true });
      const bytes = plainBytes(work, session);
      for (const host of ['', 'm4']) {
        const asked = { host };
        await isRefused(
          signRequest(work, bytes, [hop, bindOf(m, session)], asked),
          'forwardedUnproven',
        );
        await isRefused(signRequest(work, bytes, [hop], asked), 'forwardedUnproven');
      }
      const sameSession = bindOf(m, session, { isForwarding: true });
      await isRefused(signRequest(work, bytes, [sameSession]), 'proofInvalid');
    });
  });

  describe('at the socket of a real vmux agent', () => {
    let agent: Agent;
    let client: AgentClient;
    let keyBlob: Buffer;

    beforeAll(async () => {
      agent = await startAgent(attacked.other, signer);
      keyBlob = Buffer.from(work.publicKey, 'base64');
    });
    beforeEach(async () => {
      client = await connectAgent(agent.socket);
      agent.skip();
    });
    afterEach(() => client.close());

    it('a bind with a false signature fails, and so does every later sign request, without asking the phone', async () => {
      const session = newSession();
      const forged = bindOf(web, session, { signature: web.sign(newSession()) });
      expect(await client.bind(forged)).toBe(false);
      expect(await client.sign(keyBlob, plainBytes(work, session))).toBeNull();
      await agent.expect(`login as root with work: ${failures.bindRefused.message}`);
      // The true bind comes too late.
      expect(await client.bind(bindOf(web, session))).toBe(true);
      expect(await client.sign(keyBlob, hostboundBytes(work, session, web.blob))).toBeNull();
      expect(await client.sign(keyBlob, plainBytes(work, newSession()))).toBeNull();
      expect(agent.stderr()).not.toContain('Waiting for iPhone signer');
      expect(attacked.sheets()).toBe(shown);
      expect(attacked.signatures()).toBe(0);
    });

    it('a bind that is cut short fails the socket in the same way', async () => {
      const cut = Buffer.concat([Buffer.of(27), str('session-bind@openssh.com'), str(web.blob)]);
      expect(await client.ask(cut)).toEqual(Buffer.of(5));
      expect(await client.sign(keyBlob, plainBytes(work, newSession()))).toBeNull();
      await agent.expect(failures.bindRefused.message);
      expect(attacked.sheets()).toBe(shown);
    });

    it.each<[string, () => [Buffer, Buffer]]>([
      [
        'for a session that was not bound',
        () => [keyBlob, hostboundBytes(work, newSession(), web.blob)],
      ],
      ['for a host that was not bound', () => [keyBlob, hostboundBytes(work, bound, other.blob)]],
      ['for bytes that are no request', () => [keyBlob, randomBytes(200)]],
      ['by a key that the phone never had', () => [other.blob, plainBytes(work, bound)]],
    ])('a signature %s is refused without a sheet', async (_what, request) => {
      expect(await client.bind(bindOf(web, bound))).toBe(true);
      expect(await client.sign(...request())).toBeNull();
      expect(attacked.sheets()).toBe(shown);
      expect(attacked.signatures()).toBe(0);
    });

    it('a note planted for another key attaches no name', async () => {
      const notes = join(attacked.other.home, 'agent', 'notes');
      mkdirSync(notes, { recursive: true, mode: 0o700 });
      writeFileSync(join(notes, 'planted'), noteOf(web), { mode: 0o600 });
      const session = newSession();
      await client.bind(bindOf(other, session));
      const refused = client.sign(keyBlob, hostboundBytes(work, session, other.blob));
      await agent.expect(/login as root with work: Waiting for iPhone signer… code \d\d\n/);
      const [sheet] = await signer.expect(/SSH Sign Request[^]*?denies: /);
      expect(sheet.split('\n').slice(1, 3)).toEqual([
        '  From Other → (not named)',
        `  to    New host: ${fingerprintOf(other)} was never seen here`,
      ]);
      signer.type('d\n');
      expect(await refused).toBeNull();

      // For its own key the same note gives the name.
      const own = await connectAgent(agent.socket);
      await own.bind(bindOf(web, session));
      const denied = own.sign(keyBlob, hostboundBytes(work, session, web.blob));
      await signer.expect(`From Other → web\n  to    web, known since ${today()}\n`);
      await signer.answer('d');
      expect(await denied).toBeNull();
      own.close();
      expect(attacked.signatures()).toBe(0);
    });

    const bound = newSession();
  });

  describe.skipIf(!hasSshd)(
    `with real programs${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
    () => {
      let m: Sshd;
      let t: Sshd;
      let agent: Agent;

      beforeAll(async () => {
        agent = await startAgent(attacked.hostile, signer);
        const authorizedKeys = [publicKeyLine(work)];
        [m, t] = await Promise.all([startSshd({ authorizedKeys }), startSshd({ authorizedKeys })]);
        const pin = m.hostKeys.ed25519?.publicKey ?? '';
        await decide(attacked.phone, 'hosts', 'add', `m:${m.port}`, pin);
      });
      afterAll(() => Promise.all([m?.stop(), t?.stop()]));

      it('a host to which ssh -A goes cannot log in elsewhere by its own bind', async () => {
        const config = configureSsh(attacked.hostile, { m, t });
        const relay = resolve('test/support/agent-relay.ts');
        const hostKey = m.hostKeys.ed25519?.path ?? '';
        const command = [process.execPath, relay, hostKey, String(t.port), work.publicKey];
        const ssh = startClient(attacked.hostile, agent, ['ssh', ...config, '-A', 'm', ...command]);
        await signer.expect(`to    Known as m since ${today()}`);
        await signer.answer(PASSPHRASE);
        await signer.expect(
          'refused; nothing was signed (the request came through a forwarded agent and does not prove where it goes)',
        );
        const { stdout } = await ssh.ended;
        expect(stdout).toBe('bound true\nsigned false\n');
        expect(t.log()).not.toContain('Accepted publickey');
        expect(m.log().split('Accepted publickey')).toHaveLength(2);
        expect(attacked.sheets()).toBe(shown + 1);
        const signed = eventsOf(attacked.phone).filter(
          ({ type }) => type === 'xstate.done.actor.keys',
        );
        expect(signed).toHaveLength(1);
      });
    },
  );
});
