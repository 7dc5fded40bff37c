/** What the signer chart is made of: events, what it remembers, guards and clocks. */
import { assertEvent, assign, enqueueActions, sendTo, setup } from 'xstate';
import {
  advertisePort,
  biometricsPort,
  keysPort,
  listenerPort,
  pinsPort,
  sheetPort,
} from './ports.ts';
import { badgeOf, canPin, mustTypeCode } from './destination.ts';
import { forbiddenBy, refusalOf } from './refusals.ts';
import {
  cap,
  COOL_DOWN_MS,
  coolTimer,
  decided,
  head,
  MAX_IGNORED,
  MAX_TRIES,
  muteTimer,
  offeredIdentities,
  timer,
  withHostbound,
  without,
  type SignerContext,
  type SignerEvent,
  type SignerInput,
} from './signer.context.ts';

export const signerBase = setup({
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
    pins: pinsPort,
  },
  actions: {
    rememberInstance: assign(({ event }) => {
      assertEvent(event, 'advertiser.published');
      return { instance: event.instance };
    }),
    forgetInstance: assign({ instance: null }),
    rememberDecision: enqueueActions(({ context, event, enqueue }) => {
      enqueue.assign(decided(context, event));
      if (event.type === 'device.muted' || event.type === 'device.unmuted') {
        enqueue.cancel(muteTimer(event.deviceId));
      }
      if (event.type === 'device.unmuted') enqueue.cancel(coolTimer(event.deviceId));
      if (event.type === 'device.muted') {
        const { deviceId, left } = event;
        enqueue.raise(
          { type: 'device.unmuted', deviceId },
          { id: muteTimer(deviceId), delay: left },
        );
      }
    }),
    advertiseIdentities: sendTo('listener', ({ context }) => ({
      type: 'listener.advertise',
      identities: offeredIdentities(context),
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
      enqueue.assign({ links: [], queue: [], shown: null });
    }),
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
      const seen = context.seen === ref ? 'listener.presented' : 'listener.unseen';
      const type = head(context)?.ref === ref ? seen : 'listener.queued';
      enqueue.sendTo('listener', { type, ref, linkId });
    }),
    /** A host that names itself in the bytes once is taken at that from then on. */
    noteHostbound: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.received');
      const { strength, host } = event.proof;
      if (strength !== 'bound' || host === null) return;
      const { fingerprint } = host;
      if (context.hostboundHosts.includes(fingerprint)) return;
      enqueue.assign({ hostboundHosts: withHostbound(context, fingerprint) });
      enqueue.sendTo('pins', { type: 'pins.noteHostbound', fingerprint });
      enqueue.raise({ type: 'hostbound.noted' });
    }),
    countTry: assign(({ context }) => ({ tries: context.tries + 1 })),
    forgetTries: assign({ tries: 0 }),
    /** The person is there. */
    noteAttention: assign(({ context }) => {
      const { [head(context)?.deviceId ?? '']: _, ...ignored } = context.ignored;
      return { ignored };
    }),
    /** Nobody answered the sheet; after a few in a row its device has to wait. */
    countIgnored: enqueueActions(({ context, enqueue }) => {
      const { cooling, ignored } = context;
      const deviceId = head(context)?.deviceId ?? '';
      const count = (ignored[deviceId] ?? 0) + 1;
      if (count < MAX_IGNORED) {
        enqueue.assign({ ignored: { ...ignored, [deviceId]: count } });
        return;
      }
      const { [deviceId]: _, ...rest } = ignored;
      enqueue.assign({ ignored: rest, cooling: [...cooling, deviceId] });
      enqueue.raise(
        { type: 'device.cooled', deviceId },
        { id: coolTimer(deviceId), delay: COOL_DOWN_MS },
      );
    }),
    rememberPinning: assign(({ event }) => {
      assertEvent(event, 'user.pin');
      return { pinning: event.pin };
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
    isRefused: ({ context, event }) =>
      event.type === 'request.received' && refusalOf(context, event) !== null,
    /** What the person has decided forbids the request on the sheet, or changes what it says. */
    changesSheet: ({ context, event }) => {
      const request = head(context);
      if (request === undefined) return false;
      const next = decided(context, event);
      const badge = ({ pins }: SignerContext) => JSON.stringify(badgeOf(pins, request));
      return forbiddenBy(next, request) !== null || badge(next) !== badge(context);
    },
    mustTypeCode: ({ context }) => {
      const request = head(context);
      return request !== undefined && mustTypeCode(badgeOf(context.pins, request), request.proof);
    },
    isItsCode: ({ context, event }) =>
      event.type === 'user.code' &&
      head(context)?.ref === event.ref &&
      head(context)?.code === event.code,
    canPin: ({ context, event }) => {
      const request = head(context);
      if (request === undefined || !('ref' in event) || event.ref !== request.ref) return false;
      return canPin(badgeOf(context.pins, request), request.host);
    },
    isVerified: ({ event }) =>
      'output' in event && (event.output as { verdict?: unknown }).verdict === 'verified',
    hasTriesLeft: ({ context }) => context.tries + 1 < MAX_TRIES,
    hasCodeTriesLeft: ({ context, event }) =>
      'ref' in event && head(context)?.ref === event.ref && context.tries + 1 < MAX_TRIES,
  },
  delays: {
    settle: ({ context }) => context.settle,
  },
});
