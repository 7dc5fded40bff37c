/**
 * The phone: it is found, linked, shows one sheet at a time, verifies its person and signs.
 *
 * Injected: `advertiser` (DNS-SD), `listener` (the links), `sheet` (what the person sees and does),
 * `biometrics` (user verification), `keys` (signing), `pins` (what it knows of hosts).
 *
 * No transition reaches `signing` but through `reviewing` and `verifyingUser` of the same request.
 */
import { SIGNER_SERVICE_TYPE, type SignerFailure } from '../ports.ts';
import { head, initialContext } from './signer.context.ts';
import { signerSetup } from './signer.sheet.ts';

/** The person can say no until the very end. */
const denies = {
  guard: 'isOnSheet',
  target: '#signer.awake.linked.idle',
  actions: ['noteAttention', 'denyEqual'],
} as const;

/** Of what is in `linked`. */
const failed = (reason: SignerFailure) =>
  ({
    target: 'idle',
    actions: { type: 'answer', params: { outcome: 'failed', reason } },
  }) as const;

export const signerMachine = signerSetup.createMachine({
  id: 'signer',
  description: 'The phone, which signs only what its person was shown and approved.',
  context: initialContext,
  initial: 'awake',
  on: {
    'device.muted': { actions: 'rememberDecision' },
    'device.unmuted': { actions: 'rememberDecision' },
    'device.cooled': { actions: 'rememberDecision' },
  },
  states: {
    asleep: {
      description: 'The app is suspended: no link is open and nothing is answered.',
      on: {
        'phone.resumed': { target: 'awake' },
        'settings.changed': { actions: 'rememberDecision' },
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
        { id: 'pins', src: 'pins', onError: { target: 'asleep' } },
      ],
      on: {
        'phone.suspended': { target: 'asleep' },
        'advertiser.published': { actions: 'rememberInstance' },
        'settings.changed': { actions: ['rememberDecision', 'advertiseIdentities'] },
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
          invoke: { id: 'sheet', src: 'sheet', onError: { target: '#signer.asleep' } },
          on: {
            'link.opened': { actions: 'rememberLink' },
            'link.closed': [
              { guard: 'isLastLink', target: 'advertising' },
              { guard: 'carriesSheet', target: '.idle', actions: 'forgetLink' },
              { actions: ['forgetLink', 'tellCount'] },
            ],
            'request.received': [
              { guard: 'isKnownRequest', actions: 'reattach' },
              { guard: 'isRefused', actions: ['refuseRequest', 'noteHostbound'] },
              { actions: ['enqueueRequest', 'noteHostbound', 'tellCount'] },
            ],
            'request.unreadable': { actions: 'refuseUnreadable' },
            'request.withdrawn': [
              {
                guard: 'isOnSheet',
                target: '.idle',
                actions: { type: 'answerNamed', params: { outcome: 'withdrawn' } },
              },
              { actions: [{ type: 'answerNamed', params: { outcome: 'withdrawn' } }, 'tellCount'] },
            ],
            'request.expired': [
              {
                guard: 'isOnSheet',
                target: '.idle',
                actions: [
                  'countIgnored',
                  { type: 'answerNamed', params: { outcome: 'expired' } },
                  'recheckQueue',
                ],
              },
              { actions: [{ type: 'answerNamed', params: { outcome: 'expired' } }, 'tellCount'] },
            ],
            'settings.changed': [
              {
                guard: 'changesSheet',
                target: '.idle',
                actions: ['rememberDecision', 'advertiseIdentities', 'recheckQueue'],
              },
              { actions: ['rememberDecision', 'advertiseIdentities', 'recheckQueue', 'tellCount'] },
            ],
            'device.muted': [
              {
                guard: 'changesSheet',
                target: '.idle',
                actions: ['rememberDecision', 'recheckQueue'],
              },
              { actions: ['rememberDecision', 'recheckQueue', 'tellCount'] },
            ],
            'hostbound.noted': [
              { guard: 'changesSheet', target: '.idle', actions: 'recheckQueue' },
              { actions: ['recheckQueue', 'tellCount'] },
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
                'sheet.unseen': { guard: 'isOnSheet', actions: 'notifyUnseen' },
              },
              states: {
                settling: {
                  description: 'The sheet has just changed; what the person does is not for it.',
                  entry: 'showSheet',
                  after: {
                    settle: [{ guard: 'mustTypeCode', target: 'matching' }, { target: 'deciding' }],
                  },
                },
                matching: {
                  description: 'The person types the code that their headset shows, or denies.',
                  entry: 'askCode',
                  on: {
                    'user.code': [
                      {
                        guard: 'isItsCode',
                        target: 'deciding',
                        actions: ['noteAttention', 'forgetTries'],
                      },
                      {
                        guard: 'hasCodeTriesLeft',
                        actions: ['noteAttention', 'countTry', 'showWrongCode'],
                      },
                      {
                        guard: 'isOnSheet',
                        target: '#signer.awake.linked.idle',
                        actions: {
                          type: 'answer',
                          params: { outcome: 'denied', why: 'wrongCode' },
                        },
                      },
                    ],
                    'user.deny': denies,
                  },
                },
                deciding: {
                  description: 'The person reads the request and approves or denies it.',
                  entry: 'acceptInput',
                  on: {
                    'user.pin': {
                      guard: 'canPin',
                      actions: ['rememberPinning', 'showPinning'],
                    },
                    'user.approve': {
                      guard: 'isOnSheet',
                      target: '#signer.awake.linked.verifyingUser',
                      actions: 'noteAttention',
                    },
                    'user.deny': denies,
                  },
                },
              },
            },
            verifyingUser: {
              description: 'The person approved; that it is the owner is being verified.',
              entry: 'showVerifying',
              on: { 'user.deny': denies },
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
                onError: failed('verificationUnavailable'),
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
                  actions: ['pinHost', { type: 'answer', params: { outcome: 'signed' } }],
                },
                onError: failed('signingFailed'),
              },
            },
          },
        },
      },
    },
  },
});
