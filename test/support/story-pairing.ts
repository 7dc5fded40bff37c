/** Stories of the first meeting, one side each. */
import {
  headsetPairingMachine,
  type HeadsetPairingEvent,
} from '../../machines/pairing/headset-pairing.machine.ts';
import {
  phonePairingMachine,
  type PhonePairingEvent,
} from '../../machines/pairing/phone-pairing.machine.ts';
import type {
  HeadsetPairingCommand,
  PairingInput,
  PhonePairingCommand,
} from '../../machines/pairing/ports.ts';
import { play, words } from './story-play.ts';
import { recordingPort } from './story-ports.ts';

export function headsetPairs(options: { broken?: boolean } = {}) {
  const pairing = recordingPort<HeadsetPairingCommand, PairingInput>(options);
  const played = play(headsetPairingMachine.provide({ actors: { pairing: pairing.logic } }), {
    deviceName: 'Vision Pro',
  });
  return {
    ...played,
    pairing,
    sent: pairing.sent,
    tell: (event: HeadsetPairingEvent) => played.actor.send(event),
    words: () => words(played.context().reason),
  };
}

export function phonePairs(options: { broken?: boolean } = {}) {
  const pairing = recordingPort<PhonePairingCommand, PairingInput>(options);
  const played = play(phonePairingMachine.provide({ actors: { pairing: pairing.logic } }), {
    deviceName: 'Ada’s iPhone',
  });
  return {
    ...played,
    pairing,
    sent: pairing.sent,
    tell: (event: PhonePairingEvent) => played.actor.send(event),
    words: () => words(played.context().reason),
  };
}

export const digitsReady = {
  type: 'pairing.digitsReady',
  peerName: 'Somebody',
  pin: 'pin-1',
} as const;
