/**
 * First meeting, on the headset: it shows six digits, the person types them on the phone, and then
 * confirms here.
 *
 * Injected: `pairing`, the exchange with the phone. The digits never enter the chart.
 */
import { assertEvent, assign, sendTo, setup } from 'xstate';
import { because, type FailureReason } from '../failures.ts';
import { headsetPairingPort, type HeadsetPairingFact } from './ports.ts';
import type { Phone } from '../ports.ts';
import { PAIRING_TIMEOUT_MS } from './pairing-timeout.ts';

export interface HeadsetPairingInput {
  deviceName: string;
}

export interface HeadsetPairingContext {
  deviceName: string;
  /** What the phone calls itself: foreign text. */
  peerName: string | null;
  phone: Phone | null;
  reason: FailureReason | null;
}

export type HeadsetPairingEvent =
  | { type: 'user.pair' }
  | { type: 'user.confirm' }
  | { type: 'user.decline' }
  | { type: 'user.cancel' }
  | HeadsetPairingFact;

export const headsetPairingMachine = setup({
  types: {
    context: {} as HeadsetPairingContext,
    events: {} as HeadsetPairingEvent,
    input: {} as HeadsetPairingInput,
  },
  actors: { pairing: headsetPairingPort },
  actions: {
    rememberPeer: assign(({ event }) => {
      assertEvent(event, 'pairing.digitsReady');
      return { peerName: event.peerName };
    }),
    rememberPhone: assign(({ event }) => {
      assertEvent(event, 'pairing.completed');
      return { phone: event.phone };
    }),
    confirm: sendTo('pairing', { type: 'pairing.confirm' }),
    decline: sendTo('pairing', { type: 'pairing.decline' }),
    noteFailure: assign((_, params: { reason: FailureReason }) => ({ reason: params.reason })),
    notePairingFailure: assign(({ event }) => {
      assertEvent(event, 'pairing.failed');
      return { reason: event.reason };
    }),
  },
  delays: { pairingTimeout: PAIRING_TIMEOUT_MS },
}).createMachine({
  id: 'headsetPairing',
  description: 'The headset meets a phone for the first time.',
  context: ({ input }) => ({
    deviceName: input.deviceName,
    peerName: null,
    phone: null,
    reason: null,
  }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Nobody asked to pair.',
      on: { 'user.pair': { target: 'pairing' } },
    },
    pairing: {
      description: 'Two minutes in which one phone can be met.',
      initial: 'exchanging',
      invoke: {
        id: 'pairing',
        src: 'pairing',
        input: ({ context: { deviceName } }) => ({ deviceName }),
        onError: { target: 'failed', actions: because('internalError') },
      },
      on: {
        'user.cancel': { target: '.declining', actions: because('cancelled') },
        'pairing.failed': { target: 'failed', actions: 'notePairingFailure' },
      },
      after: {
        pairingTimeout: { target: 'expired', actions: because('pairingExpired') },
      },
      states: {
        exchanging: {
          description: 'The phone is being found, and commitments and nonces exchanged.',
          on: { 'pairing.digitsReady': { target: 'comparing', actions: 'rememberPeer' } },
        },
        comparing: {
          description: 'Six digits are shown here, and the person types them on the phone.',
          on: {
            'pairing.digitsMatched': { target: 'confirming' },
            'pairing.digitsDiffered': {
              target: '#headsetPairing.mismatched',
              actions: because('pairingMismatched'),
            },
          },
        },
        confirming: {
          description: 'The digits matched; the person confirms on this side too, by default not.',
          on: {
            'user.confirm': { target: 'completing', actions: 'confirm' },
            'user.decline': { target: 'declining', actions: because('pairingDeclined') },
          },
        },
        declining: {
          description: 'The phone is told that there will be no pairing, while it can be told.',
          entry: 'decline',
          always: { target: '#headsetPairing.failed' },
        },
        completing: {
          description: 'The phone is storing the pairing and will say so.',
          on: {
            'pairing.completed': { target: '#headsetPairing.paired', actions: 'rememberPhone' },
          },
        },
      },
    },
    paired: { type: 'final', description: 'Both sides hold each other’s pin.' },
    mismatched: { type: 'final', description: 'The digits differed; nothing was stored.' },
    expired: { type: 'final', description: 'Two minutes passed; nothing was stored.' },
    failed: { type: 'final', description: 'The exchange ended; `reason` says why.' },
  },
});
