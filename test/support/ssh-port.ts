import { Buffer } from 'node:buffer';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { createActor, sendTo, setup } from 'xstate';
import { createSshPort } from '../../adapters/ssh/client.ts';
import type { PinnedHostKey } from '../../adapters/ssh/known-hosts.ts';
import { createRequestVault, type RequestVault } from '../../adapters/ssh/request-vault.ts';
import type { SessionOptions } from '../../adapters/ssh/session.ts';
import type { SshCommand, SshFact, SshInput } from '../../machines/headset/ports.ts';
import type { PublicIdentity } from '../../machines/ports.ts';

export interface TestIdentity extends PublicIdentity {
  privateKey: KeyObject;
  /** Its line in authorized_keys. */
  line: string;
}

const algorithm = 'ecdsa-sha2-nistp256';

export function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function makeIdentity(label: string): TestIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const blob = Buffer.concat([string(algorithm), string('nistp256'), string(Buffer.concat(point))]);
  const hash = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  const base64 = blob.toString('base64');
  return {
    label,
    algorithm,
    fingerprint: `SHA256:${hash}`,
    publicKey: base64,
    privateKey,
    line: `${algorithm} ${base64} ${label}`,
  };
}

/** The SSH signature blob over `challenge` (RFC 5656 §3.1.2). */
export function signAs({ privateKey }: TestIdentity, challenge: Buffer): Buffer {
  const rs = sign('sha256', challenge, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const mpint = (bytes: Buffer) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const trimmed = bytes.subarray(start);
    const isHigh = (trimmed[0] ?? 0) >= 0x80;
    return string(isHigh ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
  };
  const inner = Buffer.concat([mpint(rs.subarray(0, 32)), mpint(rs.subarray(32))]);
  return Buffer.concat([string(algorithm), string(inner)]);
}

export interface Streams {
  stdin: PassThrough;
  stdout: PassThrough;
  stderr: PassThrough;
}

export interface Harness extends Streams {
  /** Every fact so far, in order, without its time. */
  facts: SshFact[];
  types: () => SshFact['type'][];
  /** The first fact of one of these types, past or to come. */
  next: <T extends SshFact['type']>(...types: T[]) => Promise<Extract<SshFact, { type: T }>>;
  send: (command: SshCommand) => void;
  vault: RequestVault;
  pinned: PinnedHostKey[];
  banners: string[];
  stop: () => void;
}

export interface HarnessOptions {
  pins?: PinnedHostKey[];
  /** An ssh_config for this connection; `/dev/null` by default. */
  configFile?: string;
  session?: Partial<SessionOptions>;
  env?: NodeJS.ProcessEnv;
  pinHostKey?: (pinned: PinnedHostKey) => void;
}

/** Runs the ssh port alone and collects what it reports. */
export function runSshPort(input: SshInput, options: HarnessOptions = {}): Harness {
  const streams: Streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  const facts: SshFact[] = [];
  const pinned: PinnedHostKey[] = [];
  const banners: string[] = [];
  const vault = createRequestVault();
  const waiting = new Set<() => void>();
  let requests = 0;

  const port = createSshPort({
    vault,
    pins: () => options.pins ?? [],
    pinHostKey: options.pinHostKey ?? ((record) => void pinned.push(record)),
    now: () => performance.now(),
    newRequestId: () => `request-${++requests}`,
    newCode: () => String(requests).padStart(2, '0'),
    openSession: () => ({ command: 'true', terminal: null, ...streams, ...options.session }),
    onBanner: (text) => void banners.push(text),
    configFile: options.configFile ?? '/dev/null',
    env: options.env ?? {},
  });
  const collect = setup({
    types: { events: {} as SshFact | { type: 'command'; command: SshCommand } },
    actors: { ssh: port },
  }).createMachine({
    invoke: { id: 'ssh', src: 'ssh', input },
    on: {
      command: { actions: sendTo('ssh', ({ event }) => event.command) },
      'ssh.*': {
        actions: ({ event }) => {
          facts.push(event);
          for (const check of waiting) check();
        },
      },
    },
  });
  const actor = createActor(collect).start();

  return {
    ...streams,
    facts,
    types: () => facts.map(({ type }) => type),
    next<T extends SshFact['type']>(...types: T[]) {
      return new Promise<Extract<SshFact, { type: T }>>((resolve) => {
        const check = () => {
          const found = facts.find(({ type }) => (types as string[]).includes(type));
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found as Extract<SshFact, { type: T }>);
        };
        waiting.add(check);
        check();
      });
    },
    send: (command) => actor.send({ type: 'command', command }),
    vault,
    pinned,
    banners,
    stop: () => actor.stop(),
  };
}

/** Confirms an unknown host key, offers identities and approves the one that the server accepts. */
export async function logIn(run: Harness, identities: TestIdentity[]): Promise<void> {
  const key = await run.next('ssh.hostKeyKnown', 'ssh.hostKeyUnknown');
  if (key.type === 'ssh.hostKeyUnknown') run.send({ type: 'ssh.acceptHostKey' });
  await run.next('ssh.publickeyWanted');
  run.send({ type: 'ssh.offer', identities: identities.map(publicPart) });
  const { requestId, fingerprint } = await run.next('ssh.identityAccepted');
  const identity = identities.find((candidate) => candidate.fingerprint === fingerprint);
  const challenge = run.vault.challenge(requestId);
  if (identity === undefined || challenge === null) throw new Error('nothing to sign');
  run.vault.putSignature(requestId, signAs(identity, challenge));
  run.send({ type: 'ssh.handOver', requestId });
  await run.next('ssh.authenticated');
}

export function publicPart(identity: TestIdentity): PublicIdentity {
  const { fingerprint, label, algorithm: name, publicKey } = identity;
  return { fingerprint, label, algorithm: name, publicKey };
}
