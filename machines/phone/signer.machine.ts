/**
 * The phone: it is found, linked, shows one sheet at a time, verifies its person and signs.
 *
 * Injected: `advertiser` (DNS-SD), `listener` (the links), `sheet` (what the person sees and does),
 * `biometrics` (user verification), `keys` (signing).
 *
 * No transition reaches `signing` except through `reviewing` and `verifyingUser` of the same
 * request.
 */
import { SIGNER_SERVICE_TYPE } from '../ports.ts';
import { head, initialContext } from './signer.context.ts';
import { signerSetup } from './signer.setup.ts';

export const signerMachine = signerSetup.createMachine({
  id: 'signer',
  description: 'The phone, which signs only what its person was shown and approved.',
  context: initialContext,
  initial: 'awake',
  states: {
    asleep: {
      description: 'The app is suspended: no link is open and nothing is answered.',
      on: {
        'phone.resumed': { target: 'awake' },
        'identities.changed': { actions: 'rememberIdentities' },
      },
    },
    awake: {
      description: 'The phone listens for its paired headsets.',
      initial: 'advertising',
      entry: 'advertiseIdentities',
      exit: 'forgetInstance',
      invoke: [
        {
          id: 'advertiser',
          src: 'advertiser',
          input: ({ context: { port } }) => ({ serviceType: SIGNER_SERVICE_TYPE, port }),
          onError: {
            description: 'No multicast here: headsets can still dial an address they remember.',
          },
        },
        { id: 'listener', src: 'listener', onError: { target: 'asleep' } },
      ],
      on: {
        'phone.suspended': { target: 'asleep' },
        'advertiser.published': { actions: 'rememberInstance' },
        'identities.changed': { actions: ['rememberIdentities', 'advertiseIdentities'] },
      },
      states: {
        advertising: {
          description: 'Published on the network; no paired headset is linked.',
          on: { 'link.opened': { target: 'linked', actions: 'rememberLink' } },
        },
        linked: {
          description: 'At least one paired headset is linked; requests may come.',
          initial: 'idle',
          exit: 'withdrawAll',
          invoke: {
            id: 'sheet',
            src: 'sheet',
            onError: { target: '#signer.asleep' },
          },
          on: {
            'link.opened': { actions: 'rememberLink' },
            'link.closed': [
              { guard: 'isLastLink', target: 'advertising' },
              { guard: 'carriesSheet', target: '.idle', actions: 'forgetLink' },
              { actions: 'forgetLink' },
            ],
            'request.received': [
              { guard: 'isKnownRequest', actions: 'reattach' },
              {
                guard: 'isUnknownIdentity',
                actions: { type: 'refuse', params: { reason: 'identityUnknown' } },
              },
              {
                guard: 'isDisabledIdentity',
                actions: { type: 'refuse', params: { reason: 'identityDisabled' } },
              },
              {
                guard: 'isQueueFull',
                actions: { type: 'refuse', params: { reason: 'phoneBusy' } },
              },
              { actions: 'enqueueRequest' },
            ],
            'request.unreadable': { actions: 'refuseUnreadable' },
            'request.withdrawn': [
              {
                guard: 'isOnSheet',
                target: '.idle',
                actions: { type: 'answerNamed', params: { outcome: 'withdrawn' } },
              },
              { actions: { type: 'answerNamed', params: { outcome: 'withdrawn' } } },
            ],
            'request.expired': [
              {
                guard: 'isOnSheet',
                target: '.idle',
                actions: { type: 'answerNamed', params: { outcome: 'expired' } },
              },
              { actions: { type: 'answerNamed', params: { outcome: 'expired' } } },
            ],
            'identities.changed': [
              {
                guard: 'disablesSheet',
                target: '.idle',
                actions: ['rememberIdentities', 'advertiseIdentities', 'refuseDisabled'],
              },
              { actions: ['rememberIdentities', 'advertiseIdentities', 'refuseDisabled'] },
            ],
          },
          states: {
            idle: {
              description: 'No sheet is on screen.',
              always: { guard: 'hasRequest', target: 'reviewing' },
            },
            reviewing: {
              description: 'The sheet of the first request in the queue is on screen.',
              initial: 'settling',
              on: {
                'sheet.shown': { guard: 'isOnSheet', actions: 'notifyPresented' },
              },
              states: {
                settling: {
                  description: 'The sheet has just changed; what the person does is not for it.',
                  entry: 'showSheet',
                  after: { settle: { target: 'deciding' } },
                },
                deciding: {
                  description: 'The person reads the request and approves or denies it.',
                  entry: 'acceptInput',
                  on: {
                    'user.approve': {
                      guard: 'isOnSheet',
                      target: '#signer.awake.linked.verifyingUser',
                    },
                    'user.deny': {
                      guard: 'isOnSheet',
                      target: '#signer.awake.linked.idle',
                      actions: { type: 'answer', params: { outcome: 'denied', why: 'denied' } },
                    },
                  },
                },
              },
            },
            verifyingUser: {
              description: 'The person approved; that it is the owner is being verified.',
              entry: 'showVerifying',
              invoke: {
                id: 'biometrics',
                src: 'biometrics',
                input: ({ context }) => ({
                  ref: head(context)?.ref ?? '',
                  fingerprint: head(context)?.fingerprint ?? '',
                }),
                onDone: [
                  { guard: 'isVerified', target: 'signing' },
                  {
                    guard: 'hasTriesLeft',
                    target: '#signer.awake.linked.reviewing.deciding',
                    actions: ['countTry', 'showRetry'],
                  },
                  {
                    target: 'idle',
                    actions: {
                      type: 'answer',
                      params: { outcome: 'denied', why: 'wrongPassphrase' },
                    },
                  },
                ],
                onError: {
                  target: 'idle',
                  actions: {
                    type: 'answer',
                    params: { outcome: 'failed', reason: 'verificationUnavailable' },
                  },
                },
              },
            },
            signing: {
              description: 'The verified person approved exactly this request; it is being signed.',
              invoke: {
                id: 'keys',
                src: 'keys',
                input: ({ context }) => ({
                  ref: head(context)?.ref ?? '',
                  fingerprint: head(context)?.fingerprint ?? '',
                  challengeHash: head(context)?.challengeHash ?? '',
                }),
                onDone: {
                  target: 'idle',
                  actions: { type: 'answer', params: { outcome: 'signed' } },
                },
                onError: {
                  target: 'idle',
                  actions: {
                    type: 'answer',
                    params: { outcome: 'failed', reason: 'signingFailed' },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
});
