/** The headset's end of the link: dials, checks the pin, and speaks the phone's protocol. */
import type { TLSSocket } from 'node:tls';
import type { Observable } from 'rxjs';
// The package's front door loads 220 files: 30 ms at every start.
import { Subject } from 'rxjs/internal/Subject';
import { fromCallback, type CallbackActorLogic } from 'xstate';
import type { ConnectorCommand, ConnectorFact } from '../../machines/headset/ports.ts';
import type { Endpoint, PublicIdentity } from '../../machines/ports.ts';
import type { DeviceIdentity, PairedDevice } from './certificate.ts';
import {
  negotiate,
  PROTOCOLS,
  readPhoneMessage,
  type HeadsetMessage,
  type PhoneMessage,
} from './messages.ts';
import { signMessageOf, type OutgoingRequest } from './outgoing-request.ts';
import { createPhoneDialer } from './phone-dialer.ts';
import { factOf, type RequestFact } from './request-facts.ts';
import { openSession, type Session, type SessionEnd } from './session.ts';
import { samePin } from './tls.ts';

export interface ConnectorOptions {
  identity: DeviceIdentity;
  /** Asked at every dial. */
  pairedPhones: () => readonly PairedDevice[];
  /** This program's version. */
  version: string;
  /** Uniform in [0, 1). */
  random?: () => number;
}

export interface Connector {
  actor: CallbackActorLogic<ConnectorCommand, undefined>;
  /** False: no link is up, or the request cannot be said in the protocol. Nothing is sent then. */
  sign(request: OutgoingRequest): boolean;
  /** Nothing that the phone says of the request afterwards is reported. */
  withdraw(requestId: string): void;
  requestFacts: Observable<RequestFact>;
  /** Tells this phone, if it is the linked one, that it is no longer paired, and drops the link. */
  unpairNotice(phoneId: string): void;
  /** Does the same if the linked phone no longer is among the paired ones. */
  recheckPins(): void;
  /** Says goodbye; resolves when the socket is gone. */
  close(): Promise<void>;
}

interface PhoneLink {
  endpoint: Endpoint;
  phone: PairedDevice;
  session: Session<HeadsetMessage>;
  helloSent: boolean;
  protocol: number | null;
  established: boolean;
  /** Sent, not withdrawn, and without a result. */
  outstanding: Set<string>;
  gone: Promise<void>;
}

export type { RequestFact };

const ignore = () => {};

export function createConnector(options: ConnectorOptions): Connector {
  const { identity, pairedPhones, version, random = Math.random } = options;
  const requestFacts = new Subject<RequestFact>();
  let link: PhoneLink | null = null;
  let report: (fact: ConnectorFact) => void = ignore;

  const dialer = createPhoneDialer(
    { identity, pairedPhones },
    {
      answered: (endpoint, phone, socket) => {
        link = openLink(endpoint, phone, socket);
        report({ type: 'peer.answered', endpoint, phone: { id: phone.id, name: phone.name } });
      },
      stranger: (endpoint) => report({ type: 'peer.refused', endpoint, reason: 'unknownPhone' }),
      unreachable: (endpoint, detail) => report({ type: 'peer.unreachable', endpoint, detail }),
    },
  );

  function dialAll(endpoints: Endpoint[]): void {
    if (link !== null) return;
    const [first] = endpoints;
    if (pairedPhones().length > 0) dialer.dial(endpoints);
    else if (first !== undefined) {
      report({ type: 'peer.refused', endpoint: first, reason: 'noPhonePaired' });
    }
  }

  function openLink(endpoint: Endpoint, phone: PairedDevice, socket: TLSSocket): PhoneLink {
    const opened: PhoneLink = {
      endpoint,
      phone,
      session: openSession<PhoneMessage, HeadsetMessage>({
        socket,
        read: readPhoneMessage,
        receive: (message) => receive(opened, message),
        ended: (end) => lose(opened, end),
      }),
      helloSent: false,
      protocol: null,
      established: false,
      outstanding: new Set(),
      gone: new Promise((resolve) => socket.once('close', () => resolve())),
    };
    return opened;
  }

  /** A link that was let go on purpose is no longer `link`, and its end is not reported. */
  function lose(lost: PhoneLink, end: SessionEnd): void {
    if (link !== lost) return;
    link = null;
    const { endpoint } = lost;
    const unpaired = end.how === 'bye' && end.reason === 'unpaired';
    if (lost.established && unpaired) {
      report({ type: 'link.unpaired', phone: { id: lost.phone.id, name: lost.phone.name } });
    } else if (!lost.established && (unpaired || (end.how === 'cut' && !end.heard))) {
      // In TLS 1.3 a client learns only after its own handshake that its certificate was refused.
      report({ type: 'peer.refused', endpoint, reason: 'phoneForgotHeadset' });
    } else {
      report({ type: 'link.dropped', detail: end.detail, jitter: random() });
    }
  }

  function drop(reason: 'closing' | 'unpaired'): void {
    dialer.cancel();
    const dropped = link;
    link = null;
    dropped?.session.close(reason);
  }

  function secure(): void {
    if (link === null || link.helloSent) return;
    link.helloSent = true;
    link.session.send({ t: 'hello', protocols: [...PROTOCOLS], program: 'vmux', version });
  }

  type Spoken = Exclude<PhoneMessage, { t: 'ping' | 'pong' | 'bye' }>;

  function receive(from: PhoneLink, message: Spoken): void {
    if (message.t === 'hello') return greet(from, message.protocols);
    if (from.protocol === null || !from.helloSent) return from.session.refuse(`early ${message.t}`);
    if (message.t === 'identities') return takeIdentities(from, message.identities);
    if (!from.established) return from.session.refuse(`early ${message.t}`);
    if (!from.outstanding.has(message.id)) return;
    if (message.t === 'result') {
      from.outstanding.delete(message.id);
      requestFacts.next(factOf(message));
    } else {
      requestFacts.next({ type: message.t, requestId: message.id });
    }
  }

  function greet(from: PhoneLink, theirs: number[]): void {
    if (from.protocol !== null) return from.session.refuse('second hello');
    const agreed = negotiate(PROTOCOLS, theirs);
    if ('protocol' in agreed) {
      from.protocol = agreed.protocol;
      return;
    }
    drop('closing');
    report({ type: 'peer.refused', endpoint: from.endpoint, reason: agreed.update });
  }

  function takeIdentities(from: PhoneLink, identities: PublicIdentity[]): void {
    if (from.established) return report({ type: 'link.identitiesChanged', identities });
    from.established = true;
    report({
      type: 'link.established',
      phone: { id: from.phone.id, name: from.phone.name },
      endpoint: from.endpoint,
      protocol: from.protocol!,
      identities,
    });
  }

  function sign(request: OutgoingRequest): boolean {
    if (link === null || !link.established) return false;
    const sayable = signMessageOf(request);
    if (sayable === null) return false;
    link.outstanding.add(request.requestId);
    return link.session.send(sayable);
  }

  function withdraw(requestId: string): void {
    if (link?.outstanding.delete(requestId)) link.session.send({ t: 'withdraw', id: requestId });
  }

  const isStillPaired = ({ id, pin }: PairedDevice) =>
    pairedPhones().some((phone) => phone.id === id && samePin(phone.pin, pin));

  function dropUnpaired(unpaired: (phone: PairedDevice) => boolean): void {
    if (link === null || !unpaired(link.phone)) return;
    const { established } = link;
    drop('unpaired');
    if (established) report({ type: 'link.dropped', detail: 'unpaired here', jitter: random() });
  }

  const actor = fromCallback<ConnectorCommand, undefined>(({ sendBack, receive: commands }) => {
    const reportHere = (fact: ConnectorFact) => sendBack(fact);
    report = reportHere;
    commands((command) => {
      if (command.type === 'connector.dial') dialAll(command.endpoints);
      else if (command.type === 'connector.secure') secure();
      else drop('closing');
    });
    return () => {
      if (report !== reportHere) return;
      report = ignore;
      drop('closing');
    };
  });

  return {
    actor,
    sign,
    withdraw,
    requestFacts: requestFacts.asObservable(),
    unpairNotice: (phoneId) => dropUnpaired((phone) => phone.id === phoneId),
    recheckPins: () => dropUnpaired((phone) => !isStillPaired(phone)),
    close: async () => {
      const gone = link?.gone;
      report = ignore;
      drop('closing');
      requestFacts.complete();
      await gone;
    },
  };
}
