/**
 * One SSH connection: the whole connect flow, from Connect to the shell.
 *
 * Injected: `ssh`, the connection to the server; `link`, the way to the phone.
 */
import { assertEvent, assign, enqueueActions, sendTo, setup, stateIn } from 'xstate';
import type { FailureReason } from '../failures.ts';
import { signerLinkPort, sshPort, type SignerLinkFact, type SshFact } from './ports.ts';
import type { PublicIdentity } from '../ports.ts';
import {
  awaitingFaceId,
  canSend,
  challengeSent,
  isUnanswered,
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

/** OpenSSH's MaxAuthTries is 6, and each offer counts. */
const MAX_OFFERS = 5;

export interface ConnectionInput {
  flowId: string;
  /** As the person typed it. */
  host: string;
  port: number | null;
  user: string | null;
  /** The identity of the last login at this host, offered first. */
  preferred: string | null;
  /** Milliseconds; the page's ten seconds unless the host says otherwise. */
  signerTimeout?: number;
  queueTimeout?: number;
}

export interface ConnectionContext extends AwaitingSignerContext {
  flowId: string;
  host: string;
  port: number | null;
  user: string | null;
  preferred: string | null;
  /** Where `host` leads, once ssh_config and the defaults have been asked. */
  server: { hostname: string; port: number; user: string } | null;
  hostKey: { fingerprint: string; keyType: string } | null;
  /** Fingerprints that the server refused in this attempt. */
  refused: string[];
  exit: { status: number | null; signal: string | null } | null;
  /** The adapter's own words about a failure; foreign text. */
  detail: string | null;
}

export type ConnectionEvent =
  | { type: 'user.connect' }
  | { type: 'user.reconnect' }
  | { type: 'user.cancel' }
  | { type: 'user.acceptHostKey' }
  | { type: 'user.rejectHostKey' }
  | SshFact
  | SignerLinkFact;

/** What to offer, best first, and never more than the server's patience allows. */
export function identitiesToOffer(context: ConnectionContext): PublicIdentity[] {
  const isPreferred = (identity: PublicIdentity) => identity.fingerprint === context.preferred;
  const left = context.identities.filter(
    (identity) => !context.refused.includes(identity.fingerprint),
  );
  return [...left.filter(isPreferred), ...left.filter((identity) => !isPreferred(identity))].slice(
    0,
    MAX_OFFERS - context.refused.length,
  );
}

const fresh = {
  phone: null,
  identities: [],
  wasLinked: false,
  request: null,
  deadline: null,
  reason: null,
  server: null,
  hostKey: null,
  refused: [],
  exit: null,
  detail: null,
} satisfies Partial<ConnectionContext>;

export const connectionMachine = setup({
  types: {
    context: {} as ConnectionContext,
    events: {} as ConnectionEvent,
    input: {} as ConnectionInput,
  },
  actors: { ssh: sshPort, link: signerLinkPort },
  actions: {
    startAfresh: assign(fresh),
    rememberServer: assign(({ event }) => {
      assertEvent(event, 'ssh.resolved');
      const { hostname, port, user } = event;
      return { server: { hostname, port, user } };
    }),
    rememberHostKey: assign(({ event }) => {
      assertEvent(event, [
        'ssh.hostKeyKnown',
        'ssh.hostKeyUnknown',
        'ssh.hostKeyChanged',
        'ssh.hostKeyRevoked',
      ]);
      return { hostKey: { fingerprint: event.fingerprint, keyType: event.keyType } };
    }),
    rememberPhone: assign(({ event }) => {
      assertEvent(event, 'link.up');
      return phoneRemembered(event);
    }),
    forgetPhone: assign(({ context }) => phoneForgotten(context)),
    rememberAccepted: assign(({ event }) => {
      assertEvent(event, 'ssh.identityAccepted');
      const { requestId, fingerprint, challengeHash } = event;
      return {
        request: { requestId, fingerprint, challengeHash, phoneId: null, outstanding: false },
      };
    }),
    rememberRefused: assign(({ context, event }) => {
      assertEvent(event, 'ssh.identityRefused');
      return { refused: [...context.refused, event.fingerprint] };
    }),
    startClock: assign(({ context, event }) =>
      'at' in event ? { deadline: event.at + context.signerTimeout } : {},
    ),
    startQueueClock: assign(({ context, event }) =>
      'at' in event ? { deadline: event.at + context.queueTimeout } : {},
    ),
    acceptHostKey: sendTo('ssh', { type: 'ssh.acceptHostKey' }),
    rejectHostKey: sendTo('ssh', { type: 'ssh.rejectHostKey' }),
    wantLink: sendTo('link', { type: 'link.want' }),
    offerIdentities: sendTo('ssh', ({ context }) => ({
      type: 'ssh.offer',
      identities: identitiesToOffer(context),
    })),
    sendRequest: enqueueActions(({ context, event, enqueue }) => {
      const { request, phone } = context;
      if (request === null || phone === null || !('at' in event)) return;
      enqueue.sendTo('link', {
        type: 'link.send',
        requestId: request.requestId,
        fingerprint: request.fingerprint,
        phoneId: phone.id,
        host: context.host,
        user: context.server?.user ?? context.user ?? '',
        ...timesToLive(context, event.at),
      });
      enqueue.assign(({ context }) => requestSent(context));
    }),
    withdrawUnanswered: enqueueActions(({ context, event, enqueue }) => {
      if (context.request === null || !isUnanswered(context, event)) return;
      enqueue.sendTo('link', { type: 'link.withdraw', requestId: context.request.requestId });
      enqueue.assign(({ context }) => requestAnswered(context));
    }),
    noteAnswer: assign(({ context }) => requestAnswered(context)),
    handOver: sendTo('ssh', ({ context }) => ({
      type: 'ssh.handOver',
      requestId: context.request?.requestId ?? '',
    })),
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
    noteSshFailure: assign(({ event }) => {
      assertEvent(event, 'ssh.failed');
      return { reason: event.reason, detail: event.detail };
    }),
    noteExit: assign(({ event }) => {
      assertEvent(event, 'ssh.closed');
      const { status, signal, detail } = event;
      return { exit: { status, signal }, detail: detail === '' ? null : detail };
    }),
  },
  guards: {
    isThisRequest: ({ context, event }) =>
      'requestId' in event && event.requestId === context.request?.requestId,
    canSend: ({ context }) => canSend(context),
    canOffer: ({ context }) => context.request === null && context.identities.length > 0,
    offersNothing: ({ event }) => 'identities' in event && event.identities.length === 0,
    isStillOffered: ({ context, event }) =>
      'fingerprint' in event &&
      context.identities.some((identity) => identity.fingerprint === event.fingerprint),
    wasNeverLinked: ({ context }) => !context.wasLinked,
    isLinkedWithoutIdentity: ({ context }) =>
      context.phone !== null && context.identities.length === 0,
    isShown: stateIn('#awaitingFaceId'),
    isSent: stateIn('#challengeSent'),
    isOffering: stateIn('#offering'),
    endedByItself: ({ event }) =>
      'status' in event && (event.status !== null || event.signal !== null),
  },
  delays: {
    handshakeTimeout: 20_000,
    verdictTimeout: 20_000,
    signerTimeout: ({ context }) => context.signerTimeout,
    queueTimeout: ({ context }) => context.queueTimeout,
  },
}).createMachine({
  id: 'connection',
  description: 'One SSH connection, whose login a person approves on the phone.',
  context: ({ input }) => ({
    ...fresh,
    flowId: input.flowId,
    host: input.host,
    port: input.port,
    user: input.user,
    preferred: input.preferred,
    signerTimeout: input.signerTimeout ?? SIGNER_TIMEOUT_MS,
    queueTimeout: input.queueTimeout ?? QUEUE_TIMEOUT_MS,
  }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Nothing was asked of this connection yet.',
      on: { 'user.connect': { target: 'session' } },
    },
    session: {
      description: 'The connection to the server is open or being opened.',
      initial: 'handshaking',
      exit: 'withdrawUnanswered',
      invoke: [
        {
          id: 'ssh',
          src: 'ssh',
          input: ({ context: { host, port, user } }) => ({ host, port, user }),
          onError: {
            target: '#failed',
            actions: { type: 'noteFailure', params: { reason: 'internalError' } },
          },
        },
        {
          id: 'link',
          src: 'link',
          input: ({ context: { flowId } }) => ({ flowId }),
          onError: {
            target: '#failed',
            actions: { type: 'noteFailure', params: { reason: 'internalError' } },
          },
        },
      ],
      on: {
        'user.cancel': {
          target: '#disconnected',
          actions: { type: 'noteFailure', params: { reason: 'cancelled' } },
        },
        'ssh.resolved': { actions: 'rememberServer' },
        'ssh.failed': { target: '#failed', actions: 'noteSshFailure' },
        'ssh.permissionDenied': {
          target: '#failed',
          actions: { type: 'noteFailure', params: { reason: 'permissionDenied' } },
        },
        'ssh.closed': {
          target: '#failed',
          actions: ['noteExit', { type: 'noteFailure', params: { reason: 'serverClosed' } }],
        },
        'link.up': { actions: 'rememberPhone' },
        'link.lost': { actions: 'forgetPhone' },
      },
      states: {
        handshaking: {
          description: 'SSH transport, host key and the question which methods can log in.',
          on: {
            'ssh.hostKeyKnown': { actions: 'rememberHostKey' },
            'ssh.hostKeyUnknown': { target: 'confirmingHostKey', actions: 'rememberHostKey' },
            'ssh.hostKeyChanged': {
              target: '#failed',
              actions: [
                'rememberHostKey',
                { type: 'noteFailure', params: { reason: 'hostKeyChanged' } },
              ],
            },
            'ssh.hostKeyRevoked': {
              target: '#failed',
              actions: [
                'rememberHostKey',
                { type: 'noteFailure', params: { reason: 'hostKeyRevoked' } },
              ],
            },
            'ssh.publickeyWanted': { target: 'awaitingSigner', actions: 'startClock' },
            'ssh.publickeyNotOffered': {
              target: '#failed',
              actions: { type: 'noteFailure', params: { reason: 'publickeyNotOffered' } },
            },
            'ssh.authenticated': { target: 'connected' },
          },
          after: {
            handshakeTimeout: {
              target: '#failed',
              actions: { type: 'noteFailure', params: { reason: 'handshakeTimedOut' } },
            },
          },
        },
        confirmingHostKey: {
          description: 'The host key is unknown; nothing goes on until the person decides.',
          on: {
            'user.acceptHostKey': { target: 'handshaking', actions: 'acceptHostKey' },
            'user.rejectHostKey': {
              target: 'rejectingHostKey',
              actions: { type: 'noteFailure', params: { reason: 'hostKeyRejected' } },
            },
          },
        },
        rejectingHostKey: {
          description: 'The server is left, while the connection to it can still be told.',
          entry: 'rejectHostKey',
          always: { target: '#failed' },
        },
        awaitingSigner: {
          description: 'The server wants a signature. One clock runs over everything in here.',
          initial: 'discovering',
          after: {
            signerTimeout: [
              {
                guard: 'isShown',
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'notApproved' } },
              },
              {
                guard: 'isSent',
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'notPresented' } },
              },
              {
                guard: 'isOffering',
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'serverSilent' } },
              },
              {
                guard: 'isLinkedWithoutIdentity',
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'noIdentity' } },
              },
              {
                guard: 'wasNeverLinked',
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'peerUnreachable' } },
              },
              {
                target: '#timedOut',
                actions: { type: 'noteFailure', params: { reason: 'linkLost' } },
              },
            ],
          },
          states: {
            discovering: {
              id: 'discovering',
              description: 'No paired phone is linked that offers what is needed.',
              entry: 'wantLink',
              always: [
                { guard: 'canSend', target: 'challengeSent' },
                { guard: 'canOffer', target: 'offering' },
              ],
              on: {
                'link.nothingFound': {
                  guard: 'wasNeverLinked',
                  target: '#failed',
                  actions: { type: 'noteFailure', params: { reason: 'peerNotFound' } },
                },
                'link.unusable': { target: '#failed', actions: 'noteLinkFailure' },
                'ssh.identityAccepted': { actions: 'rememberAccepted' },
                'ssh.identityRefused': { actions: 'rememberRefused' },
              },
            },
            offering: {
              id: 'offering',
              description: 'The server is asked which identity it accepts; nothing is signed.',
              entry: 'offerIdentities',
              on: {
                'ssh.identityRefused': { actions: 'rememberRefused' },
                'ssh.identityAccepted': [
                  { guard: 'isStillOffered', target: 'challengeSent', actions: 'rememberAccepted' },
                  { target: 'discovering', actions: 'rememberAccepted' },
                ],
                'link.up': [
                  { guard: 'offersNothing', target: 'discovering', actions: 'rememberPhone' },
                  { actions: ['rememberPhone', 'offerIdentities'] },
                ],
              },
            },
            challengeSent,
            awaitingFaceId,
          },
        },
        queued,
        signed: {
          id: 'signed',
          description: 'The signature was handed to the server, which checks it.',
          entry: 'handOver',
          on: { 'ssh.authenticated': { target: 'connected' } },
          after: {
            verdictTimeout: {
              target: '#failed',
              actions: { type: 'noteFailure', params: { reason: 'serverSilent' } },
            },
          },
        },
        connected: {
          description: 'Logged in. The phone is not needed any more.',
          on: {
            'ssh.closed': [
              { guard: 'endedByItself', target: '#disconnected', actions: 'noteExit' },
              {
                target: '#disconnected',
                actions: ['noteExit', { type: 'noteFailure', params: { reason: 'serverClosed' } }],
              },
            ],
          },
        },
      },
    },
    denied: {
      id: 'denied',
      description: 'The person refused on the phone; no signature exists.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    timedOut: {
      id: 'timedOut',
      description: 'The clock ran out; `reason` says where it caught the flow.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    failed: {
      id: 'failed',
      description: 'It cannot go on; `reason` says why.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
    disconnected: {
      id: 'disconnected',
      description: 'The session is over: the remote program ended, or the person cancelled.',
      on: { 'user.reconnect': { target: 'session', actions: 'startAfresh' } },
    },
  },
});
