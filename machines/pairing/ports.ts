/** The ports of the two pairing charts. */
import { fromCallback } from 'xstate';
import type { FailureReason } from '../failures.ts';
import { missing, type CallbackPort, type Phone } from '../ports.ts';

export interface PairingInput {
  /** The name this device gives itself; the other side shows and keeps it. */
  deviceName: string;
}

export type HeadsetPairingCommand = { type: 'pairing.confirm' } | { type: 'pairing.decline' };

export type HeadsetPairingFact =
  /** Both nonces are revealed and the commitment holds: the six digits can be shown. */
  | { type: 'pairing.digitsReady'; peerName: string; pin: string }
  | { type: 'pairing.digitsMatched' }
  | { type: 'pairing.digitsDiffered' }
  | { type: 'pairing.completed'; phone: Phone }
  | { type: 'pairing.failed'; reason: PairingFailure };

export type PhonePairingFact =
  | { type: 'pairing.digitsReady'; peerName: string; pin: string }
  /** The person typed digits and they are the same as / other than this exchange's. */
  | { type: 'pairing.digitsMatched' }
  | { type: 'pairing.digitsDiffered' }
  | { type: 'pairing.completed'; deviceId: string }
  | { type: 'pairing.peerLeft' }
  | { type: 'pairing.failed'; reason: PairingFailure };

/** The phone's adapter compares digits by itself and needs no command but the next exchange. */
export type PhonePairingCommand = { type: 'pairing.again' };

export type PairingFailure = Extract<
  FailureReason,
  | 'pairingPeerNotFound'
  | 'pairingInterrupted'
  | 'pairingTampered'
  | 'pairingDeclined'
  | 'pairedWithItself'
  | 'updateVmux'
  | 'updateSigner'
>;

export const headsetPairingPort: CallbackPort<HeadsetPairingCommand, PairingInput> = fromCallback(
  () => missing('pairing'),
);

export const phonePairingPort: CallbackPort<PhonePairingCommand, PairingInput> = fromCallback(() =>
  missing('pairing'),
);
