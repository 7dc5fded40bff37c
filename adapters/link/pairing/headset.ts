/** The headset's side of a first meeting: it dials, shows six digits, and has the last word. */
import { randomBytes, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Observable } from 'rxjs';
import { fromCallback, type CallbackActorLogic } from 'xstate';
import type {
  HeadsetPairingCommand,
  HeadsetPairingFact,
  PairingInput,
} from '../../../machines/pairing/ports.ts';
import type { Endpoint } from '../../../machines/ports.ts';
import { samePin, PAIR_ALPN } from '../tls.ts';
import type { DeviceIdentity } from '../certificate.ts';
import { dial } from '../dial.ts';
import { negotiate } from '../messages.ts';
import { openSession, type Session } from '../session.ts';
import { commitmentHolds, digitsOf, NONCE_LENGTH } from './exchange.ts';
import {
  PAIRING_PROTOCOLS,
  readPhonePairingMessage,
  sayableName,
  type HeadsetPairingMessage,
  type PhonePairingMessage,
} from './messages.ts';
import { exporterOf, meetingTls, strangerWith, type PairingRecord, type Stranger } from './peer.ts';

export interface HeadsetPairingOptions {
  identity: DeviceIdentity;
  /**
   * Where a phone may be waiting. Each is dialled once, as it comes; when they have ended and none
   * of them answered, the pairing has failed.
   */
  endpoints: Observable<Endpoint>;
  /** The six digits for the person's eyes. They are in no fact. */
  onDigits: (digits: string) => void;
  /** Keeps the phone and returns the id it has from now on. The phone has stored its side. */
  store: (phone: PairingRecord) => string;
}

export type HeadsetPairing = CallbackActorLogic<HeadsetPairingCommand, PairingInput>;

type Spoken = Exclude<PhonePairingMessage, { t: 'ping' | 'pong' | 'bye' }>;
type Step = 'hello' | 'commitment' | 'nonce' | 'comparing' | 'confirming' | 'storing';

/** One run is one meeting: after a failure, the machine starts another. */
export function createHeadsetPairing(options: HeadsetPairingOptions): HeadsetPairing {
  return fromCallback(({ input, sendBack, receive }) => {
    const report = (fact: HeadsetPairingFact) => sendBack(fact);
    const meeting = meetPhone(options, sayableName(input.deviceName), report);
    receive(meeting.obey);
    return meeting.stop;
  });
}

function meetPhone(
  { identity, endpoints, onDigits, store }: HeadsetPairingOptions,
  ownName: string,
  report: (fact: HeadsetPairingFact) => void,
) {
  const dials = new Set<() => void>();
  const tls = meetingTls(identity);
  let searched = false;
  let exchange: Session<HeadsetPairingMessage> | null = null;
  let step: Step = 'hello';
  let done = false;

  const search = endpoints.subscribe({
    next: tryEndpoint,
    error: () => endSearch(),
    complete: () => endSearch(),
  });

  function endSearch(): void {
    searched = true;
    if (!done && exchange === null && dials.size === 0) fail('pairingPeerNotFound');
  }

  function tryEndpoint(endpoint: Endpoint): void {
    if (done || exchange !== null) return;
    const stop = dial({ endpoint, tls, alpn: PAIR_ALPN, accepts: () => true }, (outcome) => {
      dials.delete(stop);
      if (outcome.answered) begin(outcome.socket, outcome.certificate);
      else if (searched) endSearch();
    });
    dials.add(stop);
  }

  function cancelDials(): void {
    for (const stop of dials) stop();
    dials.clear();
  }

  function fail(reason: Extract<HeadsetPairingFact, { type: 'pairing.failed' }>['reason']): void {
    finish();
    report({ type: 'pairing.failed', reason });
  }

  function finish(): void {
    done = true;
    search.unsubscribe();
    cancelDials();
    exchange?.close('closing');
  }

  function begin(socket: TLSSocket, certificate: X509Certificate): void {
    const phone = strangerWith(certificate);
    if (samePin(phone.pin, identity.pin)) {
      // Not destroyed: the other end sees whom it met by this side's last flight of the handshake.
      socket.setTimeout(500, () => socket.destroy()).end();
      return fail('pairedWithItself');
    }
    cancelDials();
    const hear = listenTo(socket, phone);
    exchange = openSession<PhonePairingMessage, HeadsetPairingMessage>({
      socket,
      read: readPhonePairingMessage,
      receive: (message) => {
        if (!hear(message)) fail('pairingInterrupted');
      },
      ended: ({ how }) => {
        if (done || how === 'closed') return;
        exchange = null;
        // A phone that is busy with another headset hangs up before it says a word.
        if (step !== 'hello') fail('pairingInterrupted');
        else if (searched) endSearch();
      },
    });
    exchange.send({ t: 'hello', protocols: [...PAIRING_PROTOCOLS], name: ownName });
  }

  /** Takes the phone's messages in their one order; false: out of it. */
  function listenTo(socket: TLSSocket, phone: Stranger): (message: Spoken) => boolean {
    const headsetNonce = randomBytes(NONCE_LENGTH);
    let commitment: Buffer | null = null;
    let name = '';

    function hear(message: Spoken): boolean {
      if (message.t === 'hello' && step === 'hello') {
        const agreed = negotiate(PAIRING_PROTOCOLS, message.protocols);
        if ('update' in agreed) fail(agreed.update);
        name = message.name;
        step = 'commitment';
      } else if (message.t === 'commitment' && step === 'commitment') {
        commitment = Buffer.from(message.commitment, 'base64');
        exchange?.send({ t: 'nonce', nonce: headsetNonce.toString('base64') });
        step = 'nonce';
      } else if (message.t === 'nonce' && step === 'nonce') {
        reveal(Buffer.from(message.nonce, 'base64'));
      } else if (message.t === 'matched' && step === 'comparing') {
        step = 'confirming';
        report({ type: 'pairing.digitsMatched' });
      } else if (message.t === 'differed' && step === 'comparing') {
        finish();
        report({ type: 'pairing.digitsDiffered' });
      } else if (message.t === 'stored' && step === 'storing') {
        complete();
      } else {
        return false;
      }
      return true;
    }

    function reveal(phoneNonce: Buffer): void {
      if (commitment === null || !commitmentHolds(commitment, phoneNonce)) {
        return fail('pairingTampered');
      }
      const pins = { phonePin: phone.pin, headsetPin: identity.pin };
      step = 'comparing';
      onDigits(digitsOf({ exporter: exporterOf(socket), phoneNonce, headsetNonce, ...pins }));
      report({ type: 'pairing.digitsReady', peerName: name, pin: phone.pin });
    }

    function complete(): void {
      const id = store({ ...phone, name });
      finish();
      report({ type: 'pairing.completed', phone: { id, name } });
    }

    return hear;
  }

  function obey(command: HeadsetPairingCommand): void {
    if (done || step !== 'confirming') return;
    if (command.type === 'pairing.confirm') {
      step = 'storing';
      exchange?.send({ t: 'confirm' });
    } else {
      stop();
    }
  }

  /** Leaving before the last word was said is a no. */
  function stop(): void {
    if (done) return;
    if (step === 'comparing' || step === 'confirming') exchange?.send({ t: 'decline' });
    finish();
  }

  return { obey, stop };
}
