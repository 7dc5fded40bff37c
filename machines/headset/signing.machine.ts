/**
 * One signature for another program's ssh, asked through the agent socket.
 *
 * Injected: `link`, the way to the phone. The asker already knows which identity it wants.
 */
import { assertEvent, assign, enqueueActions, or, sendTo, setup, stateIn } from 'xstate';
import { because, type FailureReason } from '../failures.ts';
import { signerLinkPort, type SignerLinkFact } from './ports.ts';
import type { Timed } from '../ports.ts';
import {
  awaitingFaceId,
  canSend,
  challengeSent,
  isUnanswered,
  noWaitingHelps,
  phoneAsleep,
  phoneForgotten,
  phoneRemembered,
  QUEUE_TIMEOUT_MS,
  queued,
  requestAnswered,
  requestSent,
  SIGNER_TIMEOUT_MS,
  timesToLive,
  type AwaitingSignerContext,
} from './awaiting-signer.ts';

export interface SigningInput extends Timed {
  flowId: string;
  requestId: string;
  fingerprint: string;
  challengeHash: string;
  /** The host as far as the asker named it, else empty. */
  host: string;
  /** 0 with an unnamed host. */
  port: number;
  user: string;
  code: string;
  signerTimeout?: number;
  queueTimeout?: number;
}

export interface SigningContext extends AwaitingSignerContext {
  flowId: string;
  host: string;
  port: number;
  user: string;
}

export type SigningEvent =
  /** The program that asked closed its socket. */
  { type: 'asker.gone' } | SignerLinkFact;

export const signingMachine = setup({
  types: {
    context: {} as SigningContext,
    events: {} as SigningEvent,
    input: {} as SigningInput,
  },
  actors: { link: signerLinkPort },
  actions: {
    rememberPhone: assign(({ event }) => {
      assertEvent(event, 'link.up');
      return phoneRemembered(event);
    }),
    forgetPhone: assign(({ context }) => phoneForgotten(context)),
    startClock: assign(({ context, event }) =>
      'at' in event ? { deadline: event.at + context.signerTimeout } : {},
    ),
    startQueueClock: assign(({ context, event }) =>
      'at' in event ? { deadline: event.at + context.queueTimeout } : {},
    ),
    wantLink: sendTo('link', { type: 'link.want' }),
    sendRequest: enqueueActions(({ context, event, enqueue }) => {
      const { request, phone } = context;
      if (request === null || phone === null || !('at' in event)) return;
      enqueue.sendTo('link', {
        type: 'link.send',
        requestId: request.requestId,
        fingerprint: request.fingerprint,
        phoneId: phone.id,
        host: context.host,
        port: context.port,
        user: context.user,
        code: request.code,
        ...timesToLive(context, event.at),
      });
      enqueue.assign(({ context }) => requestSent(context));
    }),
    withdrawUnanswered: enqueueActions(({ context, event, enqueue }) => {
      const { request } = context;
      if (request !== null && isUnanswered(context, event))
        enqueue.sendTo('link', { type: 'link.withdraw', requestId: request.requestId });
      enqueue.assign(({ context }) => requestAnswered(context));
    }),
    noteAnswer: assign(({ context }) => requestAnswered(context)),
    noteFailure: assign((_, params: { reason: FailureReason }) => ({ reason: params.reason })),
    noteDenial: assign(({ event }) => {
      assertEvent(event, 'signer.denied');
      return { reason: event.why };
    }),
    noteSignerFailure: assign(({ event }) => {
      assertEvent(event, 'signer.failed');
      return { reason: event.reason };
    }),
    noteLinkFailure: assign(({ event }) => {
      assertEvent(event, 'link.unusable');
      return { reason: event.reason };
    }),
  },
  guards: {
    isThisRequest: ({ context, event }) =>
      'requestId' in event && event.requestId === context.request?.requestId,
    canSend: ({ context }) => canSend(context),
    noWaitingHelps: ({ context, event }) =>
      event.type === 'link.unusable' && noWaitingHelps(context, event.reason),
    wasNeverLinked: ({ context }) => !context.wasLinked,
    isLinkedWithoutIdentity: ({ context }) =>
      context.phone !== null && context.request?.phoneId === null,
    isShown: stateIn('#awaitingFaceId'),
    isSent: or([stateIn('#challengeSent'), stateIn('#phoneAsleep')]),
  },
  delays: {
    signerTimeout: ({ context }) => context.signerTimeout,
    queueTimeout: ({ context }) => context.queueTimeout,
  },
}).createMachine({
  id: 'signing',
  description: 'One signature that another program asked for through the agent socket.',
  context: ({ input }) => {
    const signerTimeout = input.signerTimeout ?? SIGNER_TIMEOUT_MS;
    return {
      flowId: input.flowId,
      host: input.host,
      port: input.port,
      user: input.user,
      phone: null,
      identities: [],
      wasLinked: false,
      request: {
        requestId: input.requestId,
        fingerprint: input.fingerprint,
        challengeHash: input.challengeHash,
        code: input.code,
        phoneId: null,
        outstanding: false,
      },
      deadline: input.at + signerTimeout,
      reason: null,
      signerTimeout,
      queueTimeout: input.queueTimeout ?? QUEUE_TIMEOUT_MS,
    };
  },
  initial: 'asking',
  states: {
    asking: {
      description: 'The program that asked waits for its answer.',
      initial: 'awaitingSigner',
      exit: 'withdrawUnanswered',
      invoke: {
        id: 'link',
        src: 'link',
        input: ({ context: { flowId } }) => ({ flowId }),
        onError: { target: '#failed', actions: because('internalError') },
      },
      on: {
        'asker.gone': { target: '#failed', actions: because('cancelled') },
        'link.up': { actions: 'rememberPhone' },
        'link.lost': { actions: 'forgetPhone' },
      },
      states: {
        awaitingSigner: {
          description: 'One clock runs over everything in here.',
          initial: 'discovering',
          after: {
            signerTimeout: [
              { guard: 'isShown', target: '#timedOut', actions: because('notApproved') },
              { guard: 'isSent', target: '#timedOut', actions: because('notPresented') },
              {
                guard: 'isLinkedWithoutIdentity',
                target: '#timedOut',
                actions: because('noIdentity'),
              },
              {
                guard: 'wasNeverLinked',
                target: '#timedOut',
                actions: because('peerUnreachable'),
              },
              { target: '#timedOut', actions: because('linkLost') },
            ],
          },
          states: {
            discovering: {
              id: 'discovering',
              description: 'No paired phone is linked that offers the wanted identity.',
              entry: 'wantLink',
              always: { guard: 'canSend', target: 'challengeSent' },
              on: {
                'link.nothingFound': {
                  guard: 'wasNeverLinked',
                  target: '#failed',
                  actions: because('peerNotFound'),
                },
                'link.unusable': {
                  guard: 'noWaitingHelps',
                  target: '#failed',
                  actions: 'noteLinkFailure',
                },
              },
            },
            challengeSent,
            phoneAsleep,
            awaitingFaceId,
          },
        },
        queued,
      },
    },
    signed: {
      id: 'signed',
      type: 'final',
      description: 'The verified signature goes to the program that asked.',
    },
    denied: {
      id: 'denied',
      type: 'final',
      description: 'The person refused on the phone; no signature exists.',
    },
    timedOut: {
      id: 'timedOut',
      type: 'final',
      description: 'The clock ran out; `reason` says where it caught the flow.',
    },
    failed: { id: 'failed', type: 'final', description: 'It cannot go on; `reason` says why.' },
  },
});
