/** What the signer chart is made of: events, actions, guards and clocks. */
import { assertEvent, assign, enqueueActions, sendTo, setup } from 'xstate';
import {
  advertisePort,
  biometricsPort,
  keysPort,
  listenerPort,
  sheetPort,
  type Answer,
} from './ports.ts';
import type { SignerFailure } from '../ports.ts';

import {
  cap,
  head,
  identityOf,
  MAX_QUEUE,
  MAX_TRIES,
  offeredIdentities,
  timer,
  without,
  type SignerContext,
  type SignerEvent,
  type SignerInput,
} from './signer.context.ts';

export const signerSetup = setup({
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
});
