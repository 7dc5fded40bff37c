/** What the connection chart is made of: context, events, actions, guards and clocks. */
import { assertEvent, assign, enqueueActions, or, sendTo, setup, stateIn } from 'xstate';
import type { FailureReason } from '../failures.ts';
import { signerLinkPort, sshPort, type SignerLinkFact, type SshFact } from './ports.ts';
import type { PublicIdentity } from '../ports.ts';
import {
  canSend,
  isUnanswered,
  noWaitingHelps,
  phoneForgotten,
  phoneRemembered,
  QUEUE_TIMEOUT_MS,
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

export const connectionSetup = setup({
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
      const { requestId, fingerprint, challengeHash, code } = event;
      return {
        request: { requestId, fingerprint, challengeHash, code, phoneId: null, outstanding: false },
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
        port: context.server?.port ?? context.port ?? 0,
        user: context.server?.user ?? context.user ?? '',
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
    noWaitingHelps: ({ context, event }) =>
      event.type === 'link.unusable' && noWaitingHelps(context, event.reason),
    wasNeverLinked: ({ context }) => !context.wasLinked,
    isLinkedWithoutIdentity: ({ context }) =>
      context.phone !== null && context.identities.length === 0,
    isShown: stateIn('#awaitingFaceId'),
    isSent: or([stateIn('#challengeSent'), stateIn('#phoneAsleep')]),
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
});

/** The context at the beginning. */
export const initialContext = ({ input }: { input: ConnectionInput }): ConnectionContext => ({
  ...fresh,
  flowId: input.flowId,
  host: input.host,
  port: input.port,
  user: input.user,
  preferred: input.preferred,
  signerTimeout: input.signerTimeout ?? SIGNER_TIMEOUT_MS,
  queueTimeout: input.queueTimeout ?? QUEUE_TIMEOUT_MS,
});
