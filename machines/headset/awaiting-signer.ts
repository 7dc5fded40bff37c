/**
 * The states that the connection and the signing chart share: a request is on its way to the phone,
 * there with nobody to see it, in front of the person, or behind somebody else's sheet.
 *
 * They name their actions and guards; each chart implements those over its own context, and owns
 * the exits `#signed`, `#denied`, `#timedOut`, `#failed` and the way back, `#discovering`.
 */
import { setup } from 'xstate';
import { because, type FailureReason } from '../failures.ts';
import type { LinkFailure, SignerLinkFact } from './ports.ts';
import type { Phone, PublicIdentity } from '../ports.ts';

/** What both charts remember about the phone and the request. */
export interface AwaitingSignerContext {
  /** The phone whose link is up. */
  phone: Phone | null;
  /** What that phone offers, in its order. */
  identities: PublicIdentity[];
  /** A link was up at some time since this flow began. */
  wasLinked: boolean;
  /** The request that the phone is to sign; `phoneId` once it was sent. */
  request: {
    requestId: string;
    fingerprint: string;
    challengeHash: string;
    /** The matching code: two digits that the person compares with the sheet, or types there. */
    code: string;
    phoneId: string | null;
    /** It is with the phone and was not answered yet. */
    outstanding: boolean;
  } | null;
  /** When the running clock ends, in the time of the facts' `at`. */
  deadline: number | null;
  reason: FailureReason | null;
  /** Milliseconds: from "a signature is wanted" to its approval. */
  signerTimeout: number;
  /** Milliseconds that a request may wait behind another sheet. */
  queueTimeout: number;
}

export type AwaitingSignerEvent = SignerLinkFact;

/** The sheet closes this much before the headset's clock ends, so that no approval is in vain. */
const MARGIN_MS = 250;

/** Default of both charts' `signerTimeout`, from the product page. */
export const SIGNER_TIMEOUT_MS = 10_000;
export const QUEUE_TIMEOUT_MS = 60_000;

const { createStateConfig } = setup({
  types: {
    context: {} as AwaitingSignerContext,
    events: {} as AwaitingSignerEvent,
  },
  actions: {
    sendRequest: () => {},
    noteAnswer: () => {},
    forgetPhone: () => {},
    startClock: () => {},
    startQueueClock: () => {},
    noteFailure: (_, _params: { reason: FailureReason }) => {},
    noteDenial: () => {},
    noteSignerFailure: () => {},
  },
  guards: {
    isThisRequest: () => false,
  },
  delays: {
    queueTimeout: 0,
  },
});

const denied = { guard: 'isThisRequest', target: '#denied', actions: 'noteDenial' } as const;
const failed = { guard: 'isThisRequest', target: '#failed', actions: 'noteSignerFailure' } as const;
const signed = { guard: 'isThisRequest', target: '#signed', actions: 'noteAnswer' } as const;
const shown = { guard: 'isThisRequest', target: '#awaitingFaceId' } as const;
const dropped = { target: '#discovering', actions: 'forgetPhone' } as const;
const expired = (reason: FailureReason) =>
  ({ guard: 'isThisRequest', target: '#timedOut', actions: because(reason) }) as const;

export const challengeSent = createStateConfig({
  id: 'challengeSent',
  description: 'The sign request is on the link; the phone has not said that its sheet shows it.',
  entry: 'sendRequest',
  on: {
    'signer.queued': { guard: 'isThisRequest', target: '#queued', actions: 'startQueueClock' },
    'signer.unseen': { guard: 'isThisRequest', target: '#phoneAsleep' },
    'signer.presented': shown,
    'signer.signed': signed,
    'signer.denied': denied,
    'signer.expired': expired('notPresented'),
    'signer.failed': failed,
    'link.lost': dropped,
  },
});

export const phoneAsleep = createStateConfig({
  id: 'phoneAsleep',
  description: 'The phone has the request, and nobody there has it before them.',
  on: {
    'signer.presented': shown,
    'signer.denied': denied,
    'signer.expired': expired('notPresented'),
    'signer.failed': failed,
    'link.lost': dropped,
  },
});

export const awaitingFaceId = createStateConfig({
  id: 'awaitingFaceId',
  description: 'The sheet is in front of the person, who has not answered yet.',
  on: {
    'signer.signed': signed,
    'signer.denied': denied,
    'signer.expired': expired('notApproved'),
    'signer.failed': failed,
    'link.lost': dropped,
  },
});

export const queued = createStateConfig({
  id: 'queued',
  description: 'The phone holds the request and shows another sheet first; the ten seconds rest.',
  on: {
    'signer.presented': { ...shown, actions: 'startClock' },
    'signer.unseen': { guard: 'isThisRequest', target: '#phoneAsleep', actions: 'startClock' },
    'signer.denied': denied,
    'signer.expired': expired('queuedTooLong'),
    'signer.failed': failed,
    'link.lost': { target: '#discovering', actions: ['forgetPhone', 'startClock'] },
  },
  after: {
    queueTimeout: { target: '#timedOut', actions: because('queuedTooLong') },
  },
});

// ── what the charts build their actions and guards from ──────────────────────────────────────────

type Change = Partial<AwaitingSignerContext>;

export function phoneRemembered(event: { phone: Phone; identities: PublicIdentity[] }): Change {
  return { phone: event.phone, identities: event.identities, wasLinked: true };
}

export function phoneForgotten(context: AwaitingSignerContext): Change {
  return {
    phone: null,
    identities: [],
    request: context.request && { ...context.request, outstanding: false },
  };
}

export function requestSent(context: AwaitingSignerContext): Change {
  if (context.request === null || context.phone === null) return {};
  return { request: { ...context.request, phoneId: context.phone.id, outstanding: true } };
}

export function requestAnswered(context: AwaitingSignerContext): Change {
  return { request: context.request && { ...context.request, outstanding: false } };
}

/** The request is with the phone, and `event` is not its answer. */
export function isUnanswered(context: AwaitingSignerContext, event: { type: string }): boolean {
  const { request } = context;
  if (!request?.outstanding) return false;
  return !('requestId' in event && event.requestId === request.requestId);
}

/**
 * A request may go to the phone that is linked now: it is there, offers the accepted identity, and
 * is the phone that had the request before, if one had.
 */
export function canSend(context: AwaitingSignerContext): boolean {
  const { phone, request } = context;
  if (phone === null || request === null) return false;
  return (
    (request.phoneId === null || request.phoneId === phone.id) &&
    context.identities.some((identity) => identity.fingerprint === request.fingerprint)
  );
}

/**
 * Whether a link that cannot be used ends the waiting. A stranger's phone says nothing about one's
 * own, which was linked and may come back within the clock.
 */
export function noWaitingHelps(context: AwaitingSignerContext, reason: LinkFailure): boolean {
  return reason !== 'unknownPhone' || !context.wasLinked;
}

/** Times to live for a request sent at `at`, in milliseconds. */
export function timesToLive(context: AwaitingSignerContext, at: number) {
  const left = (context.deadline ?? at + context.signerTimeout) - at;
  return {
    ttl: Math.max(1, Math.floor(left) - MARGIN_MS),
    queueTtl: Math.max(1, context.queueTimeout - MARGIN_MS),
    sheetTtl: Math.max(1, context.signerTimeout - MARGIN_MS),
  };
}
