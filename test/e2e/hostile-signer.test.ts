import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFrameDecoder, encodeFrame } from '../../adapters/link/frames.ts';
import { LINK_ALPN } from '../../adapters/link/tls.ts';
import { failures, type FailureReason } from '../../machines/failures.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { str } from '../adapters/keys-examples.ts';
import { identityOf, type Heard, type SignMessage } from '../support/hostile-headset.ts';
import { signerHello } from '../support/link-rig.ts';
import { createBench } from '../support/program-driver.ts';
import { connectTo, createIdentity, knowHost, pair } from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

type Say = (...messages: unknown[]) => void;

interface Script {
  hello?: object;
  /** Seconds that the headset waits; 1 by default. */
  patience?: string;
  identities?: PublicIdentity[];
  /** What it does when it is asked for a signature. */
  asked?: (request: SignMessage, say: Say, socket: TLSSocket) => void;
}

/** Control and format characters (Unicode general categories), line ends excepted. */
const unprintable = /(?!\n)[\p{Cc}\p{Cf}]/u;

const results = (id: string, more: object) => ({ t: 'result', id, ...more });

describe.skipIf(!hasSshd)(
  `a paired phone that has gone bad${hasSshd ? '' : ' (skipped: no sshd on this machine)'}`,
  () => {
    const bench = createBench('shared');
    const phone = bench.device('signer');
    const headset = bench.device('vmux');
    const cleanups: (() => unknown)[] = [];
    let sshd: Sshd;
    let work: PublicIdentity;

    beforeAll(async () => {
      const line = await createIdentity(phone, 'work', 'correct horse');
      await pair(headset, phone);
      sshd = await startSshd({ authorizedKeys: [line] });
      await knowHost(phone, sshd);
      [work] = JSON.parse((await phone.run(['identity', 'list', '--json'])).stdout);
    });
    afterEach(() => {
      for (const clean of cleanups.splice(0)) clean();
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    /** A phone with the real phone's certificate; what it heard is in `heard`. */
    async function badPhone({ hello = signerHello, identities = [offered(work)], asked }: Script) {
      const { privateKeyPem: key, certificatePem: cert } = identityOf(phone);
      const heard: Heard[] = [];
      const server = createServer(
        { key, cert, ALPNProtocols: [LINK_ALPN], requestCert: true, rejectUnauthorized: false },
        (socket) => {
          const decoder = createFrameDecoder();
          const say: Say = (...messages) =>
            void socket.write(Buffer.concat(messages.map((one) => encodeFrame(one))));
          socket.on('error', () => {});
          socket.on('data', (chunk: Buffer) => {
            for (const message of decoder.push(chunk).messages as Heard[]) {
              heard.push(message);
              if (message.t === 'ping') say({ t: 'pong' });
              if (message.t === 'hello') say({ t: 'identities', identities });
              if (message.t !== 'sign') continue;
              // Asked once: whoever links again finds nobody.
              server.close();
              asked?.(message as unknown as SignMessage, say, socket);
            }
          });
          say(hello);
        },
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanups.push(() => server.close());
      return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
    }

    it.each<[string, FailureReason, Script]>([
      [
        'returns a signature that is none',
        'badSignature',
        { asked: ({ id }, say) => say(signedWith(id, Buffer.from('no signature'))) },
      ],
      [
        'returns a signature by another key',
        'badSignature',
        { asked: ({ id, data }, say) => say(signedWith(id, foreign(Buffer.from(data, 'base64')))) },
      ],
      [
        'returns nothing but zeros',
        'badSignature',
        { asked: ({ id }, say) => say(signedWith(id, blob(Buffer.of(0), Buffer.of(0)))) },
      ],
      [
        'answers for another request only',
        'notPresented',
        { asked: (_, say) => say(results(randomUUID(), { outcome: 'denied', why: 'denied' })) },
      ],
      [
        'answers in another version of the protocol',
        'updateVmux',
        { hello: { ...signerHello, protocols: [3] }, patience: '8' },
      ],
      ['offers nothing', 'noIdentity', { identities: [] }],
      [
        'sends an unknown message instead of an answer',
        'linkLost',
        { asked: (_, say) => say({ t: 'xstate.done.actor.link', output: {} }) },
      ],
      [
        'sends an answer with a property too many',
        'linkLost',
        { asked: ({ id }, say) => say(results(id, { outcome: 'expired', signature: 'AAAA' })) },
      ],
      [
        'sends noise instead of an answer',
        'linkLost',
        { asked: (_, __, socket) => void socket.write(Buffer.alloc(3_000, 0x7f)) },
      ],
    ])('%s: %s, and the server gets no signature', async (_what, reason, script) => {
      const before = sshd.log().length;
      const { address } = await badPhone(script);
      const timeout = ['--timeout', script.patience ?? '1'];
      const run = connectTo(sshd, { address }, ['true'], timeout);
      const end = await headset.run(run);
      const { message, hint } = failures[reason];
      expect(end.stderr).toContain(`vmux: ${message}\nhint: ${hint}\n`);
      expect(end.status).toBe(255);
      expect(sshd.log().slice(before)).not.toMatch(/(Accepted|Failed) publickey .* ssh2$/m);
    });

    it('names itself and its keys with control characters: the terminal gets none of them', async () => {
      const label = '\x1b]0;owned\x07\u202ework\x1b[2J';
      const { address } = await badPhone({
        identities: [{ ...offered(work), label }],
        asked: ({ id }, say) => say(results(id, { outcome: 'denied', why: 'denied' })),
      });
      const end = await headset.run(connectTo(sshd, { address }, ['true'], ['--timeout', '1']));
      expect(end.stderr).toContain(failures.denied.message);
      expect(end.stderr).not.toMatch(unprintable);
      const log = await headset.run(['log']);
      expect(log.stdout).not.toMatch(unprintable);
    });

    it('offers keys that it does not name truly: the server is not asked about them', async () => {
      const before = sshd.log().length;
      const { address } = await badPhone({
        identities: [{ ...offered(work), fingerprint: `SHA256:${'A'.repeat(43)}` }],
      });
      const end = await headset.run(connectTo(sshd, { address }, ['true'], ['--timeout', '1']));
      expect(end.status).toBe(255);
      expect(sshd.log().slice(before)).not.toContain('publickey');
    });
  },
);

/** As the link says it: without what only the phone's own list has. */
function offered({ fingerprint, label, algorithm, publicKey }: PublicIdentity): PublicIdentity {
  return { fingerprint, label, algorithm, publicKey };
}

const signedWith = (id: string, signature: Buffer) =>
  results(id, { outcome: 'signed', signature: signature.toString('base64') });

const blob = (r: Buffer, s: Buffer) =>
  Buffer.concat([str('ecdsa-sha2-nistp256'), str(Buffer.concat([str(r), str(s)]))]);

/** A good signature by a key of its own. */
function foreign(data: Buffer): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const raw = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return blob(positive(raw.subarray(0, 32)), positive(raw.subarray(32)));
}

const positive = (half: Buffer) => Buffer.concat([Buffer.alloc(1), half]);
