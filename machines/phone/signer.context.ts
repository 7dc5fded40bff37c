/** What the phone's chart remembers, and the questions it asks of that. */
import type { PublicIdentity } from '../ports.ts';
import { badgeOf, type HostPin } from './destination.ts';
import type { AdvertiseFact, ListenerFact, SheetFact, SignRequest } from './ports.ts';
import {
  allowedHostKeys,
  defaultPolicy,
  TIME_LIMITS,
  type AllowedDestination,
  type Policy,
} from './policy.ts';

/** A wrong passphrase, or a wrong code, may be typed again; the third one denies. */
export const MAX_TRIES = 3;
/** A fresh sheet takes no answer for this long: what is typed was meant for another. */
export const SETTLE_MS = 700;
/** Sheets that nobody answered, one after another, until their device has to wait. */
export const MAX_IGNORED = 2;
/** How long it waits. Milliseconds. */
export const COOL_DOWN_MS = 30_000;
/** Hosts that are remembered for offering hostbound authentication. */
const MAX_HOSTBOUND_HOSTS = 1_000;

export interface SignerIdentity extends PublicIdentity {
  enabled: boolean;
  /** Without it, or empty: anywhere. */
  allowed?: AllowedDestination[];
}

/** A request in the queue; the first is the one on the sheet. */
export interface QueuedRequest extends SignRequest {
  /** It waited behind another sheet, so its time on screen begins when it is shown. */
  waited: boolean;
}

export interface SignerInput {
  port: number;
  identities: SignerIdentity[];
  pins?: HostPin[];
  /** Fingerprints of host keys whose hosts offer hostbound authentication. */
  hostboundHosts?: string[];
  policy?: Policy;
  /** Milliseconds; only programs without a person's fingers shorten it. */
  settle?: number;
}

export interface SignerContext {
  port: number;
  settle: number;
  instance: string | null;
  identities: SignerIdentity[];
  pins: HostPin[];
  hostboundHosts: string[];
  policy: Policy;
  /** Devices that the person has muted. */
  muted: string[];
  /** Devices whose sheets were ignored, for a while. */
  cooling: string[];
  /** Sheets in a row that nobody answered, by device. */
  ignored: Record<string, number>;
  /** Devices in the order in which they last had a sheet. */
  served: string[];
  links: { linkId: string; deviceId: string }[];
  queue: QueuedRequest[];
  /** Wrong codes, then wrong passphrases, for the request on the sheet. */
  tries: number;
  /** Approving the request on the sheet pins its host key. */
  pinning: boolean;
  /** What the sheet on screen says of the queue. */
  shown: { ref: string; equal: number; waiting: number } | null;
  /** The request whose sheet a person saw last. */
  seen: string | null;
}

export type SignerEvent =
  | AdvertiseFact
  | ListenerFact
  | SheetFact
  /** What the person has decided, and what the phone has learnt: whatever of it is new. */
  | { type: 'settings.changed'; identities?: SignerIdentity[]; pins?: HostPin[]; policy?: Policy }
  /** The person wants no sheets of that device for `left` milliseconds. */
  | { type: 'device.muted'; deviceId: string; left: number }
  | { type: 'device.unmuted'; deviceId: string }
  | { type: 'device.cooled'; deviceId: string }
  /** One host more is known to offer hostbound authentication. */
  | { type: 'hostbound.noted' }
  /** The process was stopped for a while, as a phone suspends an app. */
  | { type: 'phone.suspended' }
  | { type: 'phone.resumed' }
  | { type: 'request.expired'; ref: string };

/** What headsets may know: the enabled identities. */
export function offeredIdentities({
  identities,
  pins,
}: Pick<SignerContext, 'identities' | 'pins'>): PublicIdentity[] {
  return identities
    .filter((identity) => identity.enabled)
    .map(({ fingerprint, label, algorithm, publicKey, allowed }) => {
      const onlyFor = allowedHostKeys(pins, allowed ?? []);
      const known = { fingerprint, label, algorithm, publicKey };
      return onlyFor === null ? known : { ...known, onlyFor };
    });
}

/** The request on the sheet. */
export const head = (context: SignerContext) => context.queue[0];

/** A headset's time to live as this phone grants it: `ttl` and the result in milliseconds. */
export const cap = (ttl: number, seconds: number = TIME_LIMITS.longest) =>
  Math.min(ttl, seconds * 1000);

/** The identity of that fingerprint, enabled or not. */
export function identityOf({ identities }: Pick<SignerContext, 'identities'>, fingerprint: string) {
  return identities.find((identity) => identity.fingerprint === fingerprint);
}

/** The queue without these requests, and the screen without their sheet. */
export function without({ queue, shown }: SignerContext, refs: string[]) {
  return {
    queue: queue.filter(({ ref }) => !refs.includes(ref)),
    shown: shown === null || refs.includes(shown.ref) ? null : shown,
  };
}

/** The name of a request's expiry, for cancelling it. */
export const timer = (ref: string) => `expiry of ${ref}`;

/** The name of the end of a device's mute. */
export const muteTimer = (deviceId: string) => `mute of ${deviceId}`;

/** The name of the end of a device's cool-down. */
export const coolTimer = (deviceId: string) => `cool-down of ${deviceId}`;

/**
 * The requests that a person cannot tell from this one, itself included: equal in device, key, host,
 * user, kind, forwarding chain and badge.
 */
export function equalTo(context: SignerContext, request: SignRequest): QueuedRequest[] {
  const asSeen = ({ deviceId, fingerprint, host, port, user, kind, detail, proof }: SignRequest) =>
    JSON.stringify([
      [deviceId, fingerprint, host, port, user, kind, detail],
      proof.hops,
      badgeOf(context.pins, { host, port, proof }),
    ]);
  const seen = asSeen(request);
  return context.queue.filter((queued) => asSeen(queued) === seen);
}

/** What a person has to know of the queue behind the request on the sheet. */
export function countOf(context: SignerContext): SignerContext['shown'] {
  const request = head(context);
  if (request === undefined) return null;
  const equal = equalTo(context, request).length;
  return { ref: request.ref, equal, waiting: context.queue.length - equal };
}

/** The context after the person has decided something. */
export function decided(context: SignerContext, event: SignerEvent): SignerContext {
  switch (event.type) {
    case 'settings.changed': {
      const { type: _, ...settings } = event;
      return { ...context, ...settings };
    }
    case 'device.muted':
      return { ...context, muted: [...others(context.muted, event.deviceId), event.deviceId] };
    case 'device.unmuted': {
      const { muted, cooling, ignored } = context;
      const { [event.deviceId]: _, ...rest } = ignored;
      return {
        ...context,
        muted: others(muted, event.deviceId),
        cooling: others(cooling, event.deviceId),
        ignored: rest,
      };
    }
    case 'device.cooled':
      return { ...context, cooling: others(context.cooling, event.deviceId) };
    default:
      return context;
  }
}

const others = (devices: string[], deviceId: string) => devices.filter((one) => one !== deviceId);

/**
 * The queue with the request in front whose device has had no sheet for the longest time; a sheet
 * that is shown anew keeps its place.
 */
export function nextFirst({ queue, served, shown }: SignerContext): QueuedRequest[] {
  if (shown !== null && queue[0]?.ref === shown.ref) return queue;
  const turn = ({ deviceId }: SignRequest) => served.indexOf(deviceId);
  const [next] = queue.toSorted((one, other) => turn(one) - turn(other));
  if (next === undefined) return queue;
  return [next, ...queue.filter((request) => request !== next)];
}

/**
 * The hosts that offer hostbound authentication, and this one. Pinned ones are never forgotten: a
 * headset that makes up host keys must not push them out.
 */
export function withHostbound(
  { hostboundHosts, pins }: Pick<SignerContext, 'hostboundHosts' | 'pins'>,
  fingerprint: string,
): string[] {
  const pinned = new Set(pins.map((pin) => pin.fingerprint));
  const all = [...hostboundHosts.filter((one) => one !== fingerprint), fingerprint];
  const fleeting = all.filter((one) => !pinned.has(one)).slice(-MAX_HOSTBOUND_HOSTS);
  return [...all.filter((one) => pinned.has(one)), ...fleeting];
}

/** The context at the beginning. */
export const initialContext = ({ input }: { input: SignerInput }): SignerContext => ({
  port: input.port,
  settle: input.settle ?? SETTLE_MS,
  instance: null,
  identities: input.identities,
  pins: input.pins ?? [],
  hostboundHosts: input.hostboundHosts ?? [],
  policy: input.policy ?? defaultPolicy,
  muted: [],
  cooling: [],
  ignored: {},
  served: [],
  links: [],
  queue: [],
  tries: 0,
  pinning: false,
  shown: null,
  seen: null,
});
