/** The phone's side of a first meeting: it waits, and judges the digits that the person types. */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { fromCallback, type CallbackActorLogic } from 'xstate';
import type {
  PairingInput,
  PhonePairingCommand,
  PhonePairingFact,
} from '../../../machines/pairing/ports.ts';
import type { DeviceIdentity } from '../certificate.ts';
import { negotiate } from '../messages.ts';
import { openSession, type Session } from '../session.ts';
import { PAIR_ALPN, peerCertificate, samePin } from '../tls.ts';
import { createTlsServer } from '../tls-server.ts';
import { commitmentTo, digitsOf, NONCE_LENGTH, sameDigits } from './exchange.ts';
import {
  PAIRING_PROTOCOLS,
  readHeadsetPairingMessage,
  sayableName,
  type HeadsetPairingMessage,
  type PhonePairingMessage,
} from './messages.ts';
import { exporterOf, meetingTls, strangerWith, type PairingRecord, type Stranger } from './peer.ts';

/** Sockets at once, those that have not said a word included. */
const MAX_SOCKETS = 8;
/** Milliseconds in which two programs have their digits: no person is asked before. */
const EXCHANGE_TIMEOUT = 3_000;

const ignore = () => {};

export interface PhonePairingOptions {
  identity: DeviceIdentity;
  /**
   * Keeps the headset and returns the id it has from now on. Called before the headset is told that
   * it was; when it throws, the headset is told nothing and the pairing has failed.
   */
  store: (headset: PairingRecord) => string;
}

export interface PhonePairing {
  /** Resolves with the port; port 0 takes a free one. Rejects as `net.Server` errors. */
  listen(port: number, host: string): Promise<number>;
  /** While none runs, whoever comes is hung up on. */
  actor: CallbackActorLogic<PhonePairingCommand, PairingInput>;
  /**
   * Judges what the person typed; spaces and hyphens do not count. False: these are not six
   * digits, or none are wanted now, and nothing happened.
   */
  enterDigits(text: string): boolean;
  /** Resolves when the last socket is gone. */
  close(): Promise<void>;
}

type Spoken = Exclude<HeadsetPairingMessage, { t: 'ping' | 'pong' | 'bye' }>;

interface Exchange {
  headset: Stranger;
  session: Session<PhonePairingMessage>;
  step: 'hello' | 'nonce' | 'comparing' | 'confirming';
  name: string;
  digits: string;
}

/** One headset is met at a time, and after each exchange none until `pairing.again`. */
export function createPhonePairing({ identity, store }: PhonePairingOptions): PhonePairing {
  let report: (fact: PhonePairingFact) => void = ignore;
  let ownName = '';
  let isOpen = false;
  let exchange: Exchange | null = null;

  const server = createTlsServer({ ...meetingTls(identity), maxSockets: MAX_SOCKETS }, accept);

  function accept(socket: TLSSocket): void {
    const certificate = peerCertificate(socket, PAIR_ALPN);
    if (!isOpen || exchange !== null || certificate === null) return void socket.destroy();
    const headset = strangerWith(certificate);
    if (samePin(headset.pin, identity.pin)) {
      socket.destroy();
      isOpen = false;
      return report({ type: 'pairing.failed', reason: 'pairedWithItself' });
    }
    exchange = meet(socket, headset);
  }

  function meet(socket: TLSSocket, headset: Stranger): Exchange {
    const phoneNonce = randomBytes(NONCE_LENGTH);
    const met: Exchange = {
      headset,
      session: openSession<HeadsetPairingMessage, PhonePairingMessage>({
        socket,
        read: readHeadsetPairingMessage,
        receive: (message) => {
          if (!hear(message)) met.session.refuse(`${message.t} out of order`);
        },
        ended: () => {
          clearTimeout(deadline);
          if (exchange !== met) return;
          exchange = null;
          // Whoever leaves before there were digits was nobody's headset: the next may come.
          if (met.digits === '') return;
          isOpen = false;
          report({ type: 'pairing.peerLeft' });
        },
      }),
      step: 'hello',
      name: '',
      digits: '',
    };

    const deadline = setTimeout(() => {
      if (met.digits === '') met.session.refuse('no exchange in time');
    }, EXCHANGE_TIMEOUT);

    function hear(message: Spoken): boolean {
      if (message.t === 'hello' && met.step === 'hello') {
        greet(met, message);
        met.session.send({
          t: 'commitment',
          commitment: commitmentTo(phoneNonce).toString('base64'),
        });
      } else if (message.t === 'nonce' && met.step === 'nonce') {
        const headsetNonce = Buffer.from(message.nonce, 'base64');
        const pins = { phonePin: identity.pin, headsetPin: headset.pin };
        met.session.send({ t: 'nonce', nonce: phoneNonce.toString('base64') });
        met.digits = digitsOf({ exporter: exporterOf(socket), phoneNonce, headsetNonce, ...pins });
        met.step = 'comparing';
        report({ type: 'pairing.digitsReady', peerName: met.name, pin: headset.pin });
      } else if (message.t === 'decline' && met.digits !== '') {
        end(met, { type: 'pairing.failed', reason: 'pairingDeclined' });
      } else if (message.t === 'confirm' && met.step === 'confirming') {
        complete(met);
      } else {
        return false;
      }
      return true;
    }

    return met;
  }

  function greet(met: Exchange, hello: Extract<Spoken, { t: 'hello' }>): void {
    met.session.send({ t: 'hello', protocols: [...PAIRING_PROTOCOLS], name: ownName });
    met.name = hello.name;
    met.step = 'nonce';
    const agreed = negotiate(hello.protocols, PAIRING_PROTOCOLS);
    if ('update' in agreed) end(met, { type: 'pairing.failed', reason: agreed.update });
  }

  function complete(met: Exchange): void {
    const { headset, name } = met;
    let deviceId: string;
    try {
      deviceId = store({ ...headset, name });
    } catch {
      return end(met, { type: 'pairing.failed', reason: 'pairingInterrupted' });
    }
    end(met, { type: 'pairing.completed', deviceId }, 'stored');
  }

  /**
   * Ends an exchange; the door is shut until `pairing.again`. What the headset is told last leaves
   * when the fact is on record.
   */
  function end(met: Exchange, fact: PhonePairingFact | null, last?: 'differed' | 'stored'): void {
    exchange = null;
    isOpen = false;
    if (fact !== null) report(fact);
    if (last !== undefined) met.session.send({ t: last });
    met.session.close('closing');
  }

  function enterDigits(text: string): boolean {
    const typed = text.replaceAll(/[\s-]/g, '');
    if (exchange?.step !== 'comparing' || !/^[0-9]{6}$/.test(typed)) return false;
    if (sameDigits(typed, exchange.digits)) {
      const { session } = exchange;
      exchange.step = 'confirming';
      report({ type: 'pairing.digitsMatched' });
      session.send({ t: 'matched' });
    } else {
      end(exchange, { type: 'pairing.digitsDiffered' }, 'differed');
    }
    return true;
  }

  const actor = fromCallback<PhonePairingCommand, PairingInput>(({ input, sendBack, receive }) => {
    const reportHere = (fact: PhonePairingFact) => sendBack(fact);
    report = reportHere;
    ownName = sayableName(input.deviceName);
    isOpen = true;
    receive(() => {
      isOpen = true;
    });
    return () => {
      if (report !== reportHere) return;
      report = ignore;
      isOpen = false;
      if (exchange !== null) end(exchange, null);
    };
  });

  return {
    listen: server.listen,
    actor,
    enterDigits,
    close: () => {
      isOpen = false;
      if (exchange !== null) end(exchange, null);
      return server.close();
    },
  };
}
