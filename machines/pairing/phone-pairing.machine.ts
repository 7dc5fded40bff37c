/**
 * First meeting, on the phone: the person types the six digits that the headset shows.
 *
 * Injected: `pairing`, the exchange with the headset, which also compares the typed digits: they
 * never enter the chart.
 */
import { assertEvent, assign, sendTo, setup } from 'xstate';
import { because, type FailureReason } from '../failures.ts';
import { phonePairingPort, type PhonePairingFact } from './ports.ts';
import { PAIRING_TIMEOUT_MS } from './pairing-timeout.ts';

/** Each try gives a man in the middle one chance in a million. */
export const PAIRING_TRIES = 3;

export interface PhonePairingInput {
  deviceName: string;
}

export interface PhonePairingContext {
  deviceName: string;
  /** What the headset calls itself: foreign text. */
  peerName: string | null;
  deviceId: string | null;
  /** Exchanges that ended without a pairing. */
  tries: number;
  reason: FailureReason | null;
}

export type PhonePairingEvent = { type: 'user.pair' } | { type: 'user.cancel' } | PhonePairingFact;

export const phonePairingMachine = setup({
  types: {
    context: {} as PhonePairingContext,
    events: {} as PhonePairingEvent,
    input: {} as PhonePairingInput,
  },
  actors: { pairing: phonePairingPort },
  actions: {
    rememberPeer: assign(({ event }) => {
      assertEvent(event, 'pairing.digitsReady');
      return { peerName: event.peerName };
    }),
    rememberDevice: assign(({ event }) => {
      assertEvent(event, 'pairing.completed');
      return { deviceId: event.deviceId };
    }),
    countTry: assign(({ context }) => ({ tries: context.tries + 1, peerName: null })),
    exchangeAgain: sendTo('pairing', { type: 'pairing.again' }),
    noteFailure: assign((_, params: { reason: FailureReason }) => ({ reason: params.reason })),
    notePairingFailure: assign(({ event }) => {
      assertEvent(event, 'pairing.failed');
      return { reason: event.reason };
    }),
  },
  guards: {
    hasTriesLeft: ({ context }) => context.tries + 1 < PAIRING_TRIES,
  },
  delays: { pairingTimeout: PAIRING_TIMEOUT_MS },
}).createMachine({
  id: 'phonePairing',
  description: 'The phone meets a headset for the first time.',
  context: ({ input }) => ({
    deviceName: input.deviceName,
    peerName: null,
    deviceId: null,
    tries: 0,
    reason: null,
  }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Nobody asked to pair.',
      on: { 'user.pair': { target: 'pairing' } },
    },
    pairing: {
      description: 'Two minutes in which one headset can be met, by an ear of its own.',
      initial: 'exchanging',
      invoke: {
        id: 'pairing',
        src: 'pairing',
        input: ({ context: { deviceName } }) => ({ deviceName }),
        onError: { target: 'failed', actions: because('internalError') },
      },
      on: {
        'user.cancel': { target: 'failed', actions: because('cancelled') },
        'pairing.failed': { target: 'failed', actions: 'notePairingFailure' },
        'pairing.peerLeft': [
          { guard: 'hasTriesLeft', target: '.exchanging', actions: ['countTry', 'exchangeAgain'] },
          { target: 'failed', actions: because('pairingInterrupted') },
        ],
      },
      after: {
        pairingTimeout: { target: 'expired', actions: because('pairingExpired') },
      },
      states: {
        exchanging: {
          description: 'A headset may come; commitments and nonces are exchanged.',
          on: { 'pairing.digitsReady': { target: 'comparing', actions: 'rememberPeer' } },
        },
        comparing: {
          description: 'The person types the digits that the headset shows.',
          on: {
            'pairing.digitsMatched': { target: 'confirming' },
            'pairing.digitsDiffered': [
              {
                guard: 'hasTriesLeft',
                target: 'exchanging',
                actions: ['countTry', 'exchangeAgain'],
              },
              { target: '#phonePairing.mismatched', actions: because('pairingMismatched') },
            ],
          },
        },
        confirming: {
          description: 'The digits matched; the headset’s person has the last word.',
          on: {
            'pairing.completed': { target: '#phonePairing.paired', actions: 'rememberDevice' },
          },
        },
      },
    },
    paired: { type: 'final', description: 'Both sides hold each other’s pin.' },
    mismatched: { type: 'final', description: 'The digits differed too often.' },
    expired: { type: 'final', description: 'Two minutes passed; nothing was stored.' },
    failed: { type: 'final', description: 'The exchange ended; `reason` says why.' },
  },
});
