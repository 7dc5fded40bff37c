/** What the signer chart does with a sheet, and how it answers what the sheet was for. */
import { assertEvent, enqueueActions, sendTo } from 'xstate';
import { badgeOf, canPin, hopNames, mustTypeCode } from './destination.ts';
import { forbiddenBy, refusalOf } from './refusals.ts';
import type { Answer } from './ports.ts';
import {
  cap,
  countOf,
  equalTo,
  head,
  identityOf,
  MAX_TRIES,
  nextFirst,
  timer,
  without,
} from './signer.context.ts';
import { signerBase } from './signer.setup.ts';

const onSheet = ({ context }: { context: Parameters<typeof head>[0] }) => ({
  ref: head(context)?.ref ?? '',
});

export const signerSetup = signerBase.extend({
  actions: {
    /** Turns down what arrived, and says so on the screen. */
    refuseRequest: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.received');
      const reason = refusalOf(context, event);
      if (reason === null) return;
      const { ref, linkId, deviceName, host, user, kind } = event;
      enqueue.sendTo('listener', {
        type: 'listener.answer',
        ref,
        linkId,
        answer: { outcome: 'failed', reason },
      });
      enqueue.sendTo('sheet', { type: 'sheet.refused', ref, deviceName, host, user, kind, reason });
    }),
    refuseUnreadable: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'request.unreadable');
      const { ref, linkId, deviceName, host, user, reason } = event;
      const answer = { outcome: 'failed', reason } as const;
      enqueue.sendTo('listener', { type: 'listener.answer', ref, linkId, answer });
      const about = { deviceName, host, user, kind: null, reason };
      enqueue.sendTo('sheet', { type: 'sheet.refused', ref, ...about });
    }),
    /** The device that has waited longest for a sheet gets one. */
    showSheet: enqueueActions(({ context: before, enqueue }) => {
      const context = { ...before, queue: nextFirst(before) };
      const request = head(context);
      const count = countOf(context);
      if (request === undefined || count === null) return;
      const { ref, deviceId, deviceName, host, port, user, fingerprint, kind, detail, code } =
        request;
      const asked = request.waited ? request.sheetTtl : request.ttl;
      const ttl = cap(asked, context.policy.timeLimit);
      const badge = badgeOf(context.pins, request);
      const served = [...context.served.filter((device) => device !== deviceId), deviceId];
      enqueue.assign({ queue: context.queue, served, tries: 0, pinning: false, shown: count });
      enqueue.cancel(timer(ref));
      enqueue.raise({ type: 'request.expired', ref }, { id: timer(ref), delay: ttl });
      enqueue.sendTo('sheet', {
        type: 'sheet.show',
        ref,
        deviceName,
        host,
        port,
        badge,
        hops: hopNames(context.pins, request.proof),
        user,
        label: identityOf(context, fingerprint)?.label ?? '',
        fingerprint,
        kind,
        detail,
        ttl,
        code: mustTypeCode(badge, request.proof) ? null : code,
        canPin: canPin(badge, host),
        equal: count.equal,
        waiting: count.waiting,
      });
    }),
    tellCount: enqueueActions(({ context, enqueue }) => {
      const count = countOf(context);
      const { shown } = context;
      if (count === null || shown?.ref !== count.ref) return;
      if (count.equal === shown.equal && count.waiting === shown.waiting) return;
      enqueue.assign({ shown: count });
      enqueue.sendTo('sheet', { type: 'sheet.count', ...count });
    }),
    askCode: sendTo('sheet', (args) => ({ type: 'sheet.askCode', ...onSheet(args) })),
    showWrongCode: sendTo('sheet', (args) => ({
      type: 'sheet.wrongCode',
      ...onSheet(args),
      triesLeft: MAX_TRIES - args.context.tries,
    })),
    acceptInput: sendTo('sheet', (args) => ({ type: 'sheet.accept', ...onSheet(args) })),
    showPinning: sendTo('sheet', (args) => ({
      type: 'sheet.pinning',
      ...onSheet(args),
      pin: args.context.pinning,
    })),
    notifyPresented: enqueueActions(({ context, enqueue }) => {
      const { ref = '', linkId = '' } = head(context) ?? {};
      enqueue.assign({ seen: ref });
      enqueue.sendTo('listener', { type: 'listener.presented', ref, linkId });
    }),
    notifyUnseen: sendTo('listener', ({ context }) => {
      const { ref = '', linkId = '' } = head(context) ?? {};
      return { type: 'listener.unseen', ref, linkId };
    }),
    showVerifying: sendTo('sheet', (args) => ({ type: 'sheet.verifying', ...onSheet(args) })),
    showRetry: sendTo('sheet', (args) => ({
      type: 'sheet.retry',
      ...onSheet(args),
      triesLeft: MAX_TRIES - args.context.tries,
    })),
    /** The person wanted the host key remembered, and the login to it is signed. */
    pinHost: enqueueActions(({ context, enqueue }) => {
      const request = head(context);
      const key = request?.proof.host;
      if (!context.pinning || request === undefined || !key) return;
      const { host: name, port } = request;
      const { fingerprint, keyType } = key;
      enqueue.sendTo('pins', { type: 'pins.add', name, port, keyType, fingerprint });
    }),
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
    /** Denies the request on the sheet and all that the person could not tell from it. */
    denyEqual: enqueueActions(({ context, enqueue }) => {
      const request = head(context);
      if (request === undefined) return;
      const equal = equalTo(context, request);
      for (const { ref, linkId } of equal) {
        enqueue.cancel(timer(ref));
        const answer = { outcome: 'denied', why: 'denied' } as const;
        enqueue.sendTo('listener', { type: 'listener.answer', ref, linkId, answer });
      }
      enqueue.sendTo('sheet', { type: 'sheet.close', ref: request.ref, outcome: 'denied' });
      enqueue.assign(({ context }) =>
        without(
          context,
          equal.map(({ ref }) => ref),
        ),
      );
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
    /** Turns down what waits and has become forbidden. */
    recheckQueue: enqueueActions(({ context, enqueue }) => {
      const refused = context.queue.flatMap((request) => {
        const reason = forbiddenBy(context, request);
        return reason === null ? [] : [{ ...request, reason }];
      });
      for (const { ref, linkId, reason } of refused) {
        enqueue.cancel(timer(ref));
        enqueue.sendTo('listener', {
          type: 'listener.answer',
          ref,
          linkId,
          answer: { outcome: 'failed', reason },
        });
        enqueue.sendTo('sheet', { type: 'sheet.close', ref, outcome: 'failed' });
      }
      enqueue.assign(({ context }) =>
        without(
          context,
          refused.map(({ ref }) => ref),
        ),
      );
    }),
  },
});
