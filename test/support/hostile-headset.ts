/** A paired headset gone bad: it has the certificate of a real `vmux`, and says what it likes. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { encodeFrame } from '../../adapters/link/frames.ts';
import type { Endpoint, PublicIdentity } from '../../machines/ports.ts';
import { login } from '../adapters/keys-examples.ts';
import { dialRaw, vmuxHello } from './link-rig.ts';
import type { Device } from './program-driver.ts';

export type Heard = { t: string; [key: string]: unknown };

export interface HostileHeadset {
  /** Everything the phone has said, heartbeats included. */
  heard: Heard[];
  /** False once the phone has hung up. */
  isLinked(): boolean;
  say(...messages: unknown[]): void;
  sendBytes(bytes: Uint8Array): void;
  /** The first message, past ones included, that is wanted. Rejects when the phone hangs up. */
  hears(wanted: (message: Heard) => boolean): Promise<Heard>;
  /** What the phone answers to this request. */
  resultOf(id: string): Promise<Heard>;
  /** All that the phone has said about this request, in order. */
  saidOf(id: string): string[];
  /** Resolves when everything said so far has been taken, or the phone has hung up. */
  settled(): Promise<void>;
  hungUp: Promise<unknown>;
  close(): Promise<void>;
}

/** The certificate and key that a program keeps in its state directory. */
export function identityOf({ home }: Pick<Device, 'home'>): DeviceIdentity {
  return JSON.parse(readFileSync(join(home, 'device.json'), 'utf8')) as DeviceIdentity;
}

export function endpointOf(address: string): Endpoint {
  const [host = '', port] = address.split(':');
  return { address: host, port: Number(port) };
}

/** Links to a running `signer start` with the certificate of this `vmux`, and answers its pings. */
export async function linkAs(headset: Device, address: string): Promise<HostileHeadset> {
  const { socket, heard, say, closed } = await dialRaw(endpointOf(address), identityOf(headset));
  const listening: Heard[] = heard;
  let answered = 0;
  const state = { linked: true };
  socket.on('data', () => {
    for (; answered < listening.length; answered += 1) {
      if (listening[answered]?.t === 'ping' && socket.writable) say({ t: 'pong' });
    }
  });
  const hungUp = closed.then(() => {
    state.linked = false;
  });

  /** An error is told before the end that it brings. */
  const news = () => Promise.race([once(socket, 'data').catch(() => hungUp), hungUp]);

  async function hears(wanted: (message: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const found = listening.find(wanted);
      if (found !== undefined) return found;
      if (!state.linked) throw new Error(`the phone hung up after ${JSON.stringify(listening)}`);
      await news();
    }
  }
  const pongs = () => listening.filter(({ t }) => t === 'pong').length;
  const headsetLink: HostileHeadset = {
    heard: listening,
    isLinked: () => state.linked,
    say: (...messages) => void socket.write(Buffer.concat(messages.map(encodeFrame))),
    sendBytes: (bytes) => void socket.write(bytes),
    hears,
    resultOf: (id) => hears((message) => message.t === 'result' && message['id'] === id),
    saidOf: (id) => listening.filter((message) => message['id'] === id).map(({ t }) => t),
    async settled() {
      const before = pongs();
      if (state.linked) say({ t: 'ping' });
      while (state.linked && pongs() === before) await news();
    },
    hungUp,
    async close() {
      socket.destroy();
      await hungUp;
    },
  };
  say(vmuxHello);
  await hears(({ t }) => t === 'identities');
  return headsetLink;
}

export interface SignMessage {
  t: 'sign';
  id: string;
  ttl: number;
  queueTtl: number;
  sheetTtl: number;
  host: string;
  port: number;
  user: string;
  code: string;
  fingerprint: string;
  data: string;
  binds: { hostKey: string; sessionId: string; signature: string; isForwarding: boolean }[];
}

/** A request that a well-meaning headset would send: a login as `deploy` with this identity. */
export function signMessage(
  { fingerprint, publicKey }: Pick<PublicIdentity, 'fingerprint' | 'publicKey'>,
  change: Partial<SignMessage> = {},
): SignMessage {
  const keyBlob = Buffer.from(publicKey, 'base64');
  return {
    t: 'sign',
    id: randomUUID(),
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
    host: 'server.example',
    port: 22,
    user: 'deploy',
    code: '42',
    fingerprint,
    data: login({ keyBlob }).toString('base64'),
    binds: [],
    ...change,
  };
}

/** A login challenge with these parts, as a message carries it. */
export function challenge(
  { publicKey }: Pick<PublicIdentity, 'publicKey'>,
  change: Parameters<typeof login>[0] = {},
): string {
  return login({ keyBlob: Buffer.from(publicKey, 'base64'), ...change }).toString('base64');
}
