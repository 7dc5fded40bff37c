/**
 * The phone: it is found, linked, shows one sheet at a time, verifies its person and signs.
 *
 * Injected: `advertiser` (DNS-SD), `listener` (the links), `sheet` (what the person sees and does),
 * `biometrics` (user verification), `keys` (signing).
 *
 * No transition reaches `signing` except through `reviewing` and `verifyingUser` of the same
 * request.
 */
import { assertEvent, assign, enqueueActions, sendTo, setup } from 'xstate';
import {
  advertisePort,
  biometricsPort,
  keysPort,
  listenerPort,
  sheetPort,
  type AdvertiseFact,
  type Answer,
  type ListenerFact,
  type SheetFact,
  type SignRequest,
} from './ports.ts';
import type { PublicIdentity } from '../ports.ts';
import type { SignerFailure } from '../ports.ts';

export const SIGNER_SERVICE_TYPE = '_vmux-signer._tcp';

/** A wrong passphrase may be typed again; the third one denies. */
const MAX_TRIES = 3;
const MAX_QUEUE = 32;
/** Nothing that a headset says keeps a request longer than this. Milliseconds. */
const MAX_TTL_MS = 120_000;
/** A fresh sheet takes no answer for this long: what is typed was meant for another. */
export const SETTLE_MS = 700;

export interface SignerIdentity extends PublicIdentity {
  enabled: boolean;
}

/** A request in the queue; the first is the one on the sheet. */
export interface QueuedRequest extends SignRequest {
  /** It waited behind another sheet, so its time on screen begins when it is shown. */
  waited: boolean;
}

export interface SignerInput {
  port: number;
  identities: SignerIdentity[];
  /** Milliseconds; only programs without a person's fingers shorten it. */
  settle?: number;
}

export interface SignerContext {
  port: number;
  settle: number;
  instance: string | null;
  identities: SignerIdentity[];
  links: { linkId: string; deviceId: string }[];
  queue: QueuedRequest[];
  /** Wrong passphrases for the request on the sheet. */
  tries: number;
}

export type SignerEvent =
  | AdvertiseFact
  | ListenerFact
  | SheetFact
  | { type: 'identities.changed'; identities: SignerIdentity[] }
  /** The process was stopped for a while, as a phone suspends an app. */
  | { type: 'phone.suspended' }
  | { type: 'phone.resumed' }
  | { type: 'request.expired'; ref: string };

/** What headsets may know: the enabled identities. */
export function offeredIdentities(identities: SignerIdentity[]): PublicIdentity[] {
  return identities
    .filter((identity) => identity.enabled)
    .map(({ fingerprint, label, algorithm, publicKey }) => ({
      fingerprint,
      label,
      algorithm,
      publicKey,
    }));
}

const head = (context: SignerContext) => context.queue[0];

const cap = (ttl: number) => Math.min(ttl, MAX_TTL_MS);

function identityOf(context: SignerContext, fingerprint: string) {
  return context.identities.find((identity) => identity.fingerprint === fingerprint);
}

/** The queue without these requests, and with the one that comes to the front unchanged. */
function without(context: SignerContext, refs: string[]) {
  return { queue: context.queue.filter((request) => !refs.includes(request.ref)) };
}

const timer = (ref: string) => `expiry of ${ref}`;

export const signerMachine = setup({
  types: {
    context: {} as SignerContext,
    events: {} as SignerEvent,
    input: {} as SignerInput,
  },
  actors: {
    advertiser: advertisePort,
    listener: listenerPort,
    sheet: sheetPort,
    biometrics: biometricsPort,
    keys: keysPort,
  },
  actions: {
    rememberInstance: assign(({ event }) => {
      assertEvent(event, 'advertiser.published');
      return { instance: event.instance };
    }),
    rememberIdentities: assign(({ event }) => {
      assertEvent(event, 'identities.changed');
      return { identities: event.identities };
    }),
    advertiseIdentities: sendTo('listener', ({ context }) => ({
      type: 'listener.advertise',
      identities: offeredIdentities(context.identities),
    })),
    rememberLink: assign(({ context, event }) => {
      assertEvent(event, 'link.opened');
      const { linkId, deviceId } = event;
      return { links: [...context.links, { linkId, deviceId }] };
    }),
    /** The requests of a closed link go with it; nobody is left to answer. */
    forgetLink: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'link.closed');
      const gone = context.queue.filter((request) => request.linkId === event.linkId);
      for (const request of gone) {
        enqueue.cancel(timer(request.ref));
        enqueue.sendTo('sheet', { type: 'sheet.close', ref: request.ref, outcome: 'withdrawn' });
      }
      enqueue.assign(({ context }) => ({
        ...without(
          context,
          gone.map((request) => request.ref),
        ),
        links: context.links.filter((link) => link.linkId !== event.linkId),
      }));
    }),
    /** No link is left to answer on. */
    withdrawAll: enqueueActions(({ context, enqueue }) => {
      for (const { ref } of context.queue) {
        enqueue.cancel(timer(ref));
        enqueue.sendTo('sheet', { type: 'sheet.close', ref, outcome: 'withdrawn' });
      }
      enqueue.assign({ links: [], queue: [] });
    }),
    forgetInstance: assign({ instance: null }),
    enqueueRequest: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.received');
      const { type: _, ...request } = event;
      const waited = context.queue.length > 0;
      enqueue.assign({ queue: [...context.queue, { ...request, waited }] });
      if (!waited) return;
      const { ref, linkId } = request;
      enqueue.raise(
        { type: 'request.expired', ref },
        { id: timer(ref), delay: cap(request.queueTtl) },
      );
      enqueue.sendTo('listener', { type: 'listener.queued', ref, linkId });
    }),
    /** The same request over a new link: answer there. */
    reattach: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.received');
      const { ref, linkId } = event;
      enqueue.assign({
        queue: context.queue.map((request) =>
          request.ref === ref ? { ...request, linkId } : request,
        ),
      });
      const shown = head(context)?.ref === ref;
      enqueue.sendTo('listener', {
        type: shown ? 'listener.presented' : 'listener.queued',
        ref,
        linkId,
      });
    }),
    refuse: sendTo('listener', ({ event }, params: { reason: SignerFailure }) => {
      assertEvent(event, 'request.received');
      const { ref, linkId } = event;
      return {
        type: 'listener.answer',
        ref,
        linkId,
        answer: { outcome: 'failed', reason: params.reason },
      };
    }),
    refuseUnreadable: sendTo('listener', ({ event }) => {
      assertEvent(event, 'request.unreadable');
      const { ref, linkId, reason } = event;
      return { type: 'listener.answer', ref, linkId, answer: { outcome: 'failed', reason } };
    }),
    showSheet: enqueueActions(({ context, enqueue }) => {
      const request = head(context);
      if (request === undefined) return;
      const { ref, deviceName, host, user, fingerprint, kind, detail } = request;
      const ttl = cap(request.waited ? request.sheetTtl : request.ttl);
      enqueue.assign({ tries: 0 });
      enqueue.cancel(timer(ref));
      enqueue.raise({ type: 'request.expired', ref }, { id: timer(ref), delay: ttl });
      enqueue.sendTo('sheet', {
        type: 'sheet.show',
        ref,
        deviceName,
        host,
        user,
        label: identityOf(context, fingerprint)?.label ?? '',
        fingerprint,
        kind,
        detail,
        ttl,
        waiting: context.queue.length - 1,
      });
    }),
    acceptInput: sendTo('sheet', ({ context }) => ({
      type: 'sheet.accept',
      ref: head(context)?.ref ?? '',
    })),
    notifyPresented: sendTo('listener', ({ context }) => ({
      type: 'listener.presented',
      ref: head(context)?.ref ?? '',
      linkId: head(context)?.linkId ?? '',
    })),
    showVerifying: sendTo('sheet', ({ context }) => ({
      type: 'sheet.verifying',
      ref: head(context)?.ref ?? '',
    })),
    countTry: assign(({ context }) => ({ tries: context.tries + 1 })),
    showRetry: sendTo('sheet', ({ context }) => ({
      type: 'sheet.retry',
      ref: head(context)?.ref ?? '',
      triesLeft: MAX_TRIES - context.tries,
    })),
    /** Answers the request on the sheet and takes both away. */
    answer: enqueueActions(({ context, enqueue }, params: Answer) => {
      const request = head(context);
      if (request === undefined) return;
      const { ref, linkId } = request;
      enqueue.cancel(timer(ref));
      enqueue.sendTo('listener', { type: 'listener.answer', ref, linkId, answer: params });
      enqueue.sendTo('sheet', { type: 'sheet.close', ref, outcome: params.outcome });
      enqueue.assign(({ context }) => without(context, [ref]));
    }),
    /** Answers the request that the event names, wherever it stands in the queue. */
    answerNamed: enqueueActions(({ context, event, enqueue }, params: Answer) => {
      const request = context.queue.find((queued) => 'ref' in event && queued.ref === event.ref);
      if (request === undefined) return;
      const { ref, linkId } = request;
      enqueue.cancel(timer(ref));
      enqueue.sendTo('listener', { type: 'listener.answer', ref, linkId, answer: params });
      enqueue.sendTo('sheet', { type: 'sheet.close', ref, outcome: params.outcome });
      enqueue.assign(({ context }) => without(context, [ref]));
    }),
    /** Requests for an identity that the person has just disabled or removed. */
    refuseDisabled: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'identities.changed');
      const enabled = offeredIdentities(event.identities).map((identity) => identity.fingerprint);
      const gone = context.queue.filter((request) => !enabled.includes(request.fingerprint));
      for (const { ref, linkId } of gone) {
        enqueue.cancel(timer(ref));
        enqueue.sendTo('listener', {
          type: 'listener.answer',
          ref,
          linkId,
          answer: { outcome: 'failed', reason: 'identityDisabled' },
        });
        enqueue.sendTo('sheet', { type: 'sheet.close', ref, outcome: 'failed' });
      }
      enqueue.assign(({ context }) =>
        without(
          context,
          gone.map((request) => request.ref),
        ),
      );
    }),
  },
  guards: {
    isLastLink: ({ context, event }) =>
      'linkId' in event && context.links.every((link) => link.linkId === event.linkId),
    carriesSheet: ({ context, event }) =>
      'linkId' in event && head(context)?.linkId === event.linkId,
    isOnSheet: ({ context, event }) => 'ref' in event && head(context)?.ref === event.ref,
    hasRequest: ({ context }) => context.queue.length > 0,
    isKnownRequest: ({ context, event }) =>
      'ref' in event && context.queue.some((request) => request.ref === event.ref),
    isUnknownIdentity: ({ context, event }) =>
      'fingerprint' in event && identityOf(context, event.fingerprint) === undefined,
    isDisabledIdentity: ({ context, event }) =>
      'fingerprint' in event && identityOf(context, event.fingerprint)?.enabled === false,
    isQueueFull: ({ context }) => context.queue.length >= MAX_QUEUE,
    disablesSheet: ({ context, event }) => {
      const request = head(context);
      if (request === undefined || !('identities' in event)) return false;
      return !event.identities.some(
        (identity) => identity.fingerprint === request.fingerprint && identity.enabled,
      );
    },
    isVerified: ({ event }) =>
      'output' in event && (event.output as { verdict?: unknown }).verdict === 'verified',
    hasTriesLeft: ({ context }) => context.tries + 1 < MAX_TRIES,
  },
  delays: {
    settle: ({ context }) => context.settle,
  },
}).createMachine({
  id: 'signer',
  description: 'The phone, which signs only what its person was shown and approved.',
  context: ({ input }) => ({
    port: input.port,
    settle: input.settle ?? SETTLE_MS,
    instance: null,
    identities: input.identities,
    links: [],
    queue: [],
    tries: 0,
  }),
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
