/** What the phone's chart remembers, and the questions it asks of that. */
import type { PublicIdentity } from '../ports.ts';
import type { AdvertiseFact, ListenerFact, SheetFact, SignRequest } from './ports.ts';

/** A wrong passphrase may be typed again; the third one denies. */
export const MAX_TRIES = 3;
/** Requests that may wait, the one on the sheet included. */
export const MAX_QUEUE = 32;
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

/** The request on the sheet. */
export const head = (context: SignerContext) => context.queue[0];

/** A headset's time to live as this phone grants it. Milliseconds. */
export const cap = (ttl: number) => Math.min(ttl, MAX_TTL_MS);

/** The identity of that fingerprint, enabled or not. */
export function identityOf(context: SignerContext, fingerprint: string) {
  return context.identities.find((identity) => identity.fingerprint === fingerprint);
}

/** The queue without these requests. */
export function without(context: SignerContext, refs: string[]) {
  return { queue: context.queue.filter((request) => !refs.includes(request.ref)) };
}

/** The name of a request's expiry, for cancelling it. */
export const timer = (ref: string) => `expiry of ${ref}`;

/** The context at the beginning. */
export const initialContext = ({ input }: { input: SignerInput }): SignerContext => ({
  port: input.port,
  settle: input.settle ?? SETTLE_MS,
  instance: null,
  identities: input.identities,
  links: [],
  queue: [],
  tries: 0,
});
