/**
 * The headset's encrypted link to a paired phone. One a process; it outlives connections.
 *
 * Injected: `browse`, DNS-SD on the local network; `connector`, TLS to a pinned phone.
 */
import { SIGNER_SERVICE_TYPE } from '../ports.ts';
import { initialContext, linkSetup } from './link.setup.ts';

export const linkMachine = linkSetup.createMachine({
  id: 'link',
  description: 'The encrypted link to whichever paired phone answers first.',
  context: initialContext,
  initial: 'down',
  states: {
    down: {
      id: 'down',
      description: 'Nothing is tried: the program has not begun, or no phone is paired.',
      on: {
        'app.started': { guard: 'hasPhones', target: 'active' },
        'phones.changed': [
          { guard: 'bringsPhones', target: 'active', actions: 'rememberPhones' },
          { actions: 'rememberPhones' },
        ],
      },
    },
    active: {
      description: 'A phone is paired, and the network is watched for it.',
      initial: 'searching',
      exit: ['forgetAllFound', 'forgetLink'],
      invoke: [
        {
          id: 'browse',
          src: 'browse',
          input: { serviceType: SIGNER_SERVICE_TYPE },
          onError: {
            description: 'No multicast here: remembered addresses are what is left.',
          },
        },
        { id: 'connector', src: 'connector', onError: { target: '#down' } },
      ],
      on: {
        'peer.found': { actions: 'rememberFound' },
        'peer.gone': { actions: 'forgetFound' },
        'phones.changed': [
          { guard: 'bringsNoPhones', target: '#down', actions: 'rememberPhones' },
          {
            guard: 'losesThisPhone',
            target: '.searching',
            actions: ['rememberPhones', 'closeLink', 'forgetLink'],
          },
          { actions: 'rememberPhones' },
        ],
      },
      states: {
        searching: {
          id: 'searching',
          description: 'Remembered addresses are dialled and the network is browsed, at once.',
          initial: 'looking',
          entry: 'dialKnown',
          on: {
            'peer.found': { target: '.retrying', actions: ['rememberFound', 'dialKnown'] },
            'peer.answered': { target: 'securing', actions: 'rememberAnswered' },
            'peer.refused': { actions: 'rememberRefusal' },
          },
          states: {
            looking: {
              description: 'The first moments, in which a phone on this network answers.',
              after: {
                searchWindow: [
                  { guard: 'wasRefused', target: 'refused' },
                  { guard: 'nothingFound', target: 'quiet' },
                  { target: 'retrying' },
                ],
              },
            },
            quiet: {
              description: 'Nothing on the network answered.',
              on: {
                'link.wanted': { target: '#searching' },
              },
              after: {
                redialPeriod: [
                  { guard: 'wasRefused', target: 'refused' },
                  { target: 'quiet', reenter: true, actions: 'dialKnown' },
                ],
              },
            },
            refused: {
              description: 'A phone answered and turned this headset away.',
              on: {
                'link.wanted': { target: '#searching', actions: 'forgetRefusals' },
              },
              after: { redialPeriod: { target: 'refused', reenter: true, actions: 'dialKnown' } },
            },
            retrying: {
              description: 'A phone was seen; its addresses are dialled again and again.',
              after: {
                redialPeriod: [
                  { guard: 'wasRefused', target: 'refused' },
                  { target: 'retrying', reenter: true, actions: 'dialKnown' },
                ],
              },
            },
          },
        },
        securing: {
          description: 'A paired phone answered; the link is up only with its own hello.',
          entry: 'secure',
          on: {
            'link.established': { target: 'up', actions: 'rememberEstablished' },
            'peer.refused': { target: 'searching', actions: ['rememberRefusal', 'forgetLink'] },
            'link.dropped': { target: 'lost', actions: ['rememberDrop', 'forgetLink'] },
          },
          after: { secureTimeout: { target: 'lost', actions: ['closeLink', 'forgetLink'] } },
        },
        up: {
          description: 'Linked: sign requests can be sent.',
          on: {
            'link.identitiesChanged': { actions: 'rememberIdentities' },
            'link.dropped': { target: 'lost', actions: ['rememberDrop', 'forgetLink'] },
            'link.unpaired': [
              { guard: 'wasOnlyPhone', target: '#down', actions: 'forgetUnpaired' },
              { target: 'searching', actions: ['forgetUnpaired', 'closeLink', 'forgetLink'] },
            ],
          },
        },
        lost: {
          description: 'The link dropped; it is sought again after a short, random pause.',
          after: { backoff: { target: 'searching' } },
        },
      },
    },
  },
});
