import type { TLSSocket } from 'node:tls';
import type { Endpoint } from '../../machines/ports.ts';
import type { DeviceIdentity, PairedDevice } from './certificate.ts';
import { dial } from './dial.ts';
import { LINK_ALPN, ownSide, samePin } from './tls.ts';

/** Dials at once; the others wait. Anybody on the network can announce thousands of endpoints. */
const MAX_DIALS = 64;

export interface PhoneDialer {
  /** Dials those of these that are not being dialled and do not wait already. */
  dial(endpoints: readonly Endpoint[]): void;
  /** Drops every dial under way. */
  cancel(): void;
}

/**
 * Dials endpoints, 64 at once. The first at which a paired phone proves its key is `answered`, and
 * the other dials are dropped; each that fails before is a `stranger` or `unreachable`.
 */
export function createPhoneDialer(
  {
    identity,
    pairedPhones,
  }: { identity: DeviceIdentity; pairedPhones: () => readonly PairedDevice[] },
  outcome: {
    answered: (endpoint: Endpoint, phone: PairedDevice, socket: TLSSocket) => void;
    stranger: (endpoint: Endpoint) => void;
    unreachable: (endpoint: Endpoint, detail: string) => void;
  },
): PhoneDialer {
  const dials = new Map<string, () => void>();
  const waiting = new Map<string, Endpoint>();
  const pairedPhone = (pin: string) => pairedPhones().find((phone) => samePin(phone.pin, pin));
  const accepts = (pin: string) => pairedPhone(pin) !== undefined;

  function cancel(): void {
    for (const stop of dials.values()) stop();
    dials.clear();
    waiting.clear();
  }

  function dialAll(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) {
      const key = `${endpoint.address} ${endpoint.port}`;
      if (!dials.has(key)) waiting.set(key, endpoint);
    }
    dialWaiting();
  }

  function dialWaiting(): void {
    for (const [key, endpoint] of waiting) {
      if (dials.size >= MAX_DIALS) return;
      waiting.delete(key);
      dialOne(key, endpoint);
    }
  }

  function dialOne(key: string, endpoint: Endpoint): void {
    const tls = {
      ...ownSide(identity, LINK_ALPN),
      ca: pairedPhones().map((phone) => phone.certificatePem),
      rejectUnauthorized: true,
      // Names mean nothing here: the pin decides.
      checkServerIdentity: () => undefined,
    };
    const stop = dial({ endpoint, tls, alpn: LINK_ALPN, accepts }, (result) => {
      dials.delete(key);
      if (!result.answered) {
        dialWaiting();
        if (result.isStranger) return outcome.stranger(endpoint);
        return outcome.unreachable(endpoint, result.detail);
      }
      cancel();
      outcome.answered(endpoint, pairedPhone(result.pin)!, result.socket);
    });
    dials.set(key, stop);
  }

  return { dial: dialAll, cancel };
}
