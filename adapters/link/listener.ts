/** The phone's end of the link: lets paired headsets in, holds their requests, sends the answers. */
import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { fromCallback, type CallbackActorLogic } from 'xstate';
import type { ListenerCommand, ListenerFact } from '../../machines/phone/ports.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import type { DeviceIdentity, PairedDevice } from './certificate.ts';
import { sayableIdentities } from './identities.ts';
import { judgeRequest, unreadable, type ReadRequest } from './judge-request.ts';
import {
  negotiate,
  PROTOCOLS,
  readHeadsetMessage,
  type ByeReason,
  type HeadsetMessage,
  type PhoneMessage,
  type SignMessage,
} from './messages.ts';
import { createPinnedServer } from './pinned-server.ts';
import { createRequestRate } from './request-rate.ts';
import { createRequestStore, refOf, type Requests } from './requests.ts';
import { openSession, type Session, type SessionEnd } from './session.ts';
import { createSuspensionWatch } from './suspension.ts';

const MAX_LINKS_A_DEVICE = 32;

/** What a headset is told of a request that is not answered yet. */
const notices = {
  'listener.queued': 'queued',
  'listener.presented': 'presented',
  'listener.unseen': 'unseen',
} as const;

export interface ListenerOptions {
  identity: DeviceIdentity;
  /** Asked at every connection. Call `recheckPins` when it changes. */
  pairedDevices: () => readonly PairedDevice[];
  /** This program's version. */
  version: string;
  /** Judges the bytes and the headset's claims about them. The bytes are only lent. */
  readRequest: ReadRequest;
  /** A headset said that it no longer is paired with this phone. */
  onUnpaired?: (deviceId: string) => void;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

export interface Listener {
  /** Resolves with the port; port 0 takes a free one. Rejects as `net.Server` errors. */
  listen(port: number, host: string): Promise<number>;
  /** While none runs, headsets are told that the phone is asleep. */
  actor: CallbackActorLogic<ListenerCommand, undefined>;
  /** Takes the present pairings as the only ones: other links end at once, with their requests. */
  recheckPins(): void;
  /** Drops every link and every request. The listener notices a suspension by itself, too. */
  suspended(): void;
  requests: Requests;
  /** Says goodbye to all; resolves when the last socket is gone. */
  close(): Promise<void>;
}

interface HeadsetLink {
  linkId: string;
  device: PairedDevice;
  session: Session<PhoneMessage>;
  /** `hello` was exchanged and the link reported. */
  opened: boolean;
}

export function createListener(options: ListenerOptions): Listener {
  const { identity, pairedDevices, version, readRequest, onUnpaired } = options;
  const now = options.now ?? (() => performance.now());
  const requests = createRequestStore(now);
  const mayAsk = createRequestRate(now);
  const links = new Map<string, HeadsetLink>();
  let identities: PublicIdentity[] = [];
  let report: ((fact: ListenerFact) => void) | null = null;

  const tell = (fact: ListenerFact) => report?.(fact);
  const server = createPinnedServer({ identity, pairedDevices }, accept);
  const watch = createSuspensionWatch(suspended, () => requests.sweep());

  function accept(socket: TLSSocket, device: PairedDevice): void {
    const link: HeadsetLink = {
      linkId: randomUUID(),
      device,
      session: openSession<HeadsetMessage, PhoneMessage>({
        socket,
        read: readHeadsetMessage,
        arriving: watch.check,
        receive: (message) => receive(link, message),
        ended: (end) => lose(link, end),
      }),
      opened: false,
    };
    links.set(link.linkId, link);
    // Sent first, and to every paired headset: whoever is cut off without it was not let in.
    link.session.send({ t: 'hello', protocols: [...PROTOCOLS], program: 'signer', version });
    const ofDevice = [...links.values()].filter((other) => other.device.id === device.id);
    if (report === null) link.session.close('asleep');
    else if (ofDevice.length > MAX_LINKS_A_DEVICE) link.session.close('closing', 'too many links');
  }

  function lose(link: HeadsetLink, end: SessionEnd): void {
    links.delete(link.linkId);
    requests.eraseUnanswered(link.linkId);
    if (link.opened) tell({ type: 'link.closed', linkId: link.linkId, detail: end.detail });
    if (end.how === 'bye' && end.reason === 'unpaired') {
      requests.eraseAllOf(link.device.pin);
      onUnpaired?.(link.device.id);
    }
  }

  function dropAll(reason: ByeReason, detail: string): void {
    for (const link of links.values()) link.session.close(reason, detail);
    requests.eraseAll();
  }

  function suspended(): void {
    dropAll('asleep', 'suspended');
  }

  type Spoken = Exclude<HeadsetMessage, { t: 'ping' | 'pong' | 'bye' }>;

  function receive(link: HeadsetLink, message: Spoken): void {
    if (message.t === 'hello') return greet(link, message.protocols);
    if (!link.opened) return link.session.refuse(`early ${message.t}`);
    if (message.t === 'sign') return takeRequest(link, message);
    const ref = refOf(link.device.id, message.id);
    const held = requests.get(ref);
    if (held === null || held.linkId !== link.linkId) return;
    const wasPending = held.answer === null;
    requests.erase(ref);
    if (wasPending) tell({ type: 'request.withdrawn', ref });
  }

  function greet(link: HeadsetLink, theirs: number[]): void {
    if (link.opened) return link.session.refuse('second hello');
    if (!('protocol' in negotiate(theirs, PROTOCOLS))) {
      return link.session.close('closing', 'no common protocol');
    }
    link.opened = true;
    const { id: deviceId, name: deviceName } = link.device;
    tell({ type: 'link.opened', linkId: link.linkId, deviceId, deviceName });
    link.session.send({ t: 'identities', identities });
  }

  function takeRequest(link: HeadsetLink, message: SignMessage): void {
    const { linkId, device } = link;
    const ref = refOf(device.id, message.id);
    const arrival = mayAsk(device.id)
      ? requests.arrive({ deviceId: device.id, pin: device.pin, linkId }, message)
      : ({ is: 'tooMany' } as const);
    switch (arrival.is) {
      case 'answered':
        return void link.session.send(arrival.result);
      case 'tooMany': {
        const failed = { t: 'result', id: message.id, outcome: 'failed' } as const;
        return void link.session.send({ ...failed, reason: 'phoneBusy' });
      }
      case 'reused':
        return tell(unreadable({ ref, linkId, device }, message, 'requestIdReused'));
      case 'pending':
        return tell({ ...arrival.held.fact!, linkId });
      case 'new':
        arrival.held.fact = judgeRequest(readRequest, arrival.held, device, message);
        return tell(arrival.held.fact);
    }
  }

  function advertise(offered: PublicIdentity[]): void {
    identities = sayableIdentities(offered);
    for (const link of links.values()) {
      if (link.opened) link.session.send({ t: 'identities', identities });
    }
  }

  function obey(command: ListenerCommand): void {
    watch.check();
    if (command.type === 'listener.advertise') return advertise(command.identities);
    const { ref, linkId } = command;
    const reused =
      command.type === 'listener.answer' &&
      command.answer.outcome === 'failed' &&
      command.answer.reason === 'requestIdReused';
    if (reused) return refuseReuse(ref, linkId);
    const held = requests.get(ref);
    if (held === null) return;
    const session = links.get(held.linkId)?.session;
    if (command.type === 'listener.answer') {
      const result = requests.settle(ref, command.answer);
      if (result !== null) session?.send(result);
      return;
    }
    if (command.type === 'listener.queued') requests.noteQueued(ref);
    if (command.type === 'listener.presented') requests.noteShown(ref);
    session?.send({ t: notices[command.type], id: held.requestId });
  }

  /** Answers whoever used the id again; the request that had it first goes on. */
  function refuseReuse(ref: string, linkId: string): void {
    const link = links.get(linkId);
    if (link === undefined || !ref.startsWith(refOf(link.device.id, ''))) return;
    const id = ref.slice(refOf(link.device.id, '').length);
    link.session.send({ t: 'result', id, outcome: 'failed', reason: 'requestIdReused' });
  }

  function recheckPins(): void {
    server.recheckPins();
    for (const link of links.values()) {
      if (!server.isPaired(link.device)) {
        link.session.close('unpaired');
        requests.eraseAllOf(link.device.pin);
      }
      // Its name may be another one.
      link.device = pairedDevices().find(({ id }) => id === link.device.id) ?? link.device;
    }
  }

  const actor = fromCallback<ListenerCommand, undefined>(({ sendBack, receive: commands }) => {
    const reportHere = (fact: ListenerFact) => sendBack(fact);
    report = reportHere;
    commands(obey);
    return () => {
      if (report !== reportHere) return;
      report = null;
      dropAll('asleep', 'asleep');
    };
  });

  return {
    listen: async (port, host) => {
      const listening = await server.listen(port, host);
      watch.start();
      return listening;
    },
    actor,
    recheckPins,
    suspended,
    requests,
    close: () => {
      watch.stop();
      dropAll('closing', 'closing');
      return server.close();
    },
  };
}
