import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { Subject } from 'rxjs';
import { createActor, sendTo, setup, type CallbackActorLogic, type EventObject } from 'xstate';
import { generateP256Key } from '../../adapters/keys/p256.ts';
import {
  createDeviceIdentity,
  type DeviceIdentity,
  type PairedDevice,
} from '../../adapters/link/certificate.ts';
import { createConnector } from '../../adapters/link/connector.ts';
import type { OutgoingRequest } from '../../adapters/link/outgoing-request.ts';
import { createFrameDecoder, encodeFrame } from '../../adapters/link/frames.ts';
import { createListener, type ListenerOptions } from '../../adapters/link/listener.ts';
import { LINK_ALPN } from '../../adapters/link/tls.ts';
import type { ConnectorCommand, ConnectorFact } from '../../machines/headset/ports.ts';
import type { ListenerCommand, ListenerFact, Proof } from '../../machines/phone/ports.ts';
import type { Endpoint, PublicIdentity } from '../../machines/ports.ts';
import { watchFacts, type Watch } from './watch-facts.ts';

export const newIdentity = createDeviceIdentity;

/** How `identity` stands in the records of a device that it is paired with. */
export function pairingOf(identity: DeviceIdentity, name: string): PairedDevice {
  const { pin, certificatePem } = identity;
  return { id: randomUUID(), name, pin, certificatePem };
}

export interface RunningPort<Command, Fact extends { type: string }> extends Watch<Fact> {
  send(command: Command): void;
}

/** Runs a port as a machine would, and keeps the facts that it reports. */
export function runPort<Command extends EventObject, Fact extends { type: string }, Input>(
  logic: CallbackActorLogic<Command, Input>,
  input: Input,
  onFact: (fact: Fact) => void = () => {},
): RunningPort<Command, Fact> {
  const said = new Subject<Fact>();
  const watch = watchFacts(said);
  const machine = setup({
    actors: { port: logic as unknown as CallbackActorLogic<EventObject, unknown> },
  }).createMachine({
    invoke: { id: 'port', src: 'port', input },
    on: {
      command: {
        actions: sendTo('port', ({ event }) => (event as unknown as { command: Command }).command),
      },
      '*': {
        actions: ({ event }) => {
          onFact(event as unknown as Fact);
          said.next(event as unknown as Fact);
        },
      },
    },
  });
  const actor = createActor(machine).start();
  return {
    ...watch,
    send: (command) => actor.send({ type: 'command', command } as never),
    stop: () => {
      actor.stop();
      watch.stop();
    },
  };
}

export const anIdentity: PublicIdentity = {
  fingerprint: `SHA256:${'A'.repeat(43)}`,
  label: 'work',
  algorithm: 'ecdsa-sha2-nistp256',
  publicKey: generateP256Key().publicKey.toString('base64'),
};

/** Nothing says where a login goes. */
export const unproven: Proof = { strength: 'none', host: null, hops: [], why: 'noBind' };

/** The test's own trust parser: reads `login USER`. */
export const readLogin: ListenerOptions['readRequest'] = (data, claim) => {
  const [, user] = /^login (\w+)/.exec(Buffer.from(data).toString()) ?? [];
  if (user === undefined) return { ok: false, reason: 'requestUnreadable' };
  if (user !== claim.user) return { ok: false, reason: 'requestMismatch' };
  return { ok: true, kind: 'publickey', user, detail: null, proof: unproven };
};

export function aRequest(change: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    requestId: randomUUID(),
    fingerprint: anIdentity.fingerprint,
    host: 'build.example',
    port: 22,
    user: 'ada',
    code: '42',
    binds: [],
    data: Buffer.from('login ada, session 1'),
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
    ...change,
  };
}

/** A phone's listener on loopback, running, with these devices paired. */
export async function startPhone(
  identity: DeviceIdentity,
  pairedDevices: PairedDevice[],
  change: Partial<ListenerOptions> = {},
) {
  const listener = createListener({
    identity,
    pairedDevices: () => pairedDevices,
    version: '1.2.3',
    readRequest: readLogin,
    ...change,
  });
  const port = await listener.listen(0, '127.0.0.1');
  const running = runPort<ListenerCommand, ListenerFact, undefined>(listener.actor, undefined);
  running.send({ type: 'listener.advertise', identities: [anIdentity] });
  return {
    listener,
    ...running,
    pairedDevices,
    endpoint: { address: '127.0.0.1', port } satisfies Endpoint,
    close: async () => {
      running.stop();
      await listener.close();
    },
  };
}

/** A headset's connector, running, with these phones paired. */
export function startHeadset(identity: DeviceIdentity, pairedPhones: PairedDevice[]) {
  const connector = createConnector({
    identity,
    pairedPhones: () => pairedPhones,
    version: '1.2.3',
    random: () => 0.5,
  });
  const running = runPort<ConnectorCommand, ConnectorFact, undefined>(connector.actor, undefined);
  return {
    connector,
    ...running,
    pairedPhones,
    answers: watchFacts(connector.requestFacts),
    link: async (endpoint: Endpoint) => {
      running.send({ type: 'connector.dial', endpoints: [endpoint] });
      await running.until('peer.answered', (fact) => fact.endpoint === endpoint);
      running.send({ type: 'connector.secure' });
      return running.until('link.established', (fact) => fact.endpoint === endpoint);
    },
    close: async () => {
      running.stop();
      await connector.close();
    },
  };
}

/** A TLS client of the test's own, which says what it likes and keeps what it hears. */
export async function dialRaw(
  endpoint: Endpoint,
  identity: DeviceIdentity | null,
  options: ConnectionOptions = {},
) {
  const socket = connect({
    host: endpoint.address,
    port: endpoint.port,
    ...(identity && { key: identity.privateKeyPem, cert: identity.certificatePem }),
    ALPNProtocols: [LINK_ALPN],
    rejectUnauthorized: false,
    ...options,
  });
  const decoder = createFrameDecoder();
  const heard: { t: string; [key: string]: unknown }[] = [];
  const end: { bytes: number; error: string | null } = { bytes: 0, error: null };
  socket.on('data', (chunk: Buffer) => {
    end.bytes += chunk.length;
    heard.push(...(decoder.push(chunk).messages as typeof heard));
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end.error = error.code ?? error.message;
  });
  const closed = new Promise<typeof end>((resolve) => socket.once('close', () => resolve(end)));
  const secured = await Promise.race([
    once(socket, 'secureConnect').then(
      () => true,
      () => false,
    ),
    closed.then(() => false),
  ]);
  return {
    socket,
    secured,
    closed,
    heard,
    say: (message: unknown) => socket.write(encodeFrame(message)),
    /** The next message of this kind that comes or has come. */
    hears: async (t: string): Promise<Record<string, unknown>> => {
      for (;;) {
        const found = heard.find((message) => message.t === t);
        if (found !== undefined) return found;
        await once(socket, 'data');
      }
    },
  };
}

export const vmuxHello = { t: 'hello', protocols: [2], program: 'vmux', version: '1.2.3' };
export const signerHello = { t: 'hello', protocols: [2], program: 'signer', version: '1.2.3' };
