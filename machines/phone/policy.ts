/** What the person has decided about this phone: which logins it approves at all. */
import { matches, type HostPin } from './destination.ts';

export interface Policy {
  /** Only logins whose destination is proven by hostbound bytes. */
  requireProof: boolean;
  /** Requests through a forwarded agent: never, after a question, or only through listed hosts. */
  forwarding: 'never' | 'ask' | 'listed';
  /** Names of pins: hosts through which the agent may be forwarded. */
  listed: string[];
  /** Seconds that a sheet stays, if the headset does not want less. */
  timeLimit: number;
}

/** Seconds. Nothing that a headset says keeps a sheet longer than the longest. */
export const TIME_LIMITS = { shortest: 5, longest: 120 } as const;

export const defaultPolicy: Policy = {
  requireProof: false,
  forwarding: 'ask',
  listed: [],
  timeLimit: TIME_LIMITS.longest,
};

/** Where an identity may log in. */
export interface AllowedDestination {
  /** `null`: any user. */
  user: string | null;
  /** The name of a pin. */
  host: string;
  /** `null`: any port. */
  port: number | null;
}

/** Whether the pin of a key is one for this destination. */
export const isPinFor = (pin: HostPin, { host, port }: AllowedDestination) =>
  !pin.isCa &&
  pin.name.toLowerCase() === host.toLowerCase() &&
  (port === null || pin.port === port);

/**
 * The host keys that an identity may log in to; `null`: any, or hosts that an authority certifies,
 * whose keys nobody can list.
 */
export function allowedHostKeys(
  pins: readonly HostPin[],
  allowed: readonly AllowedDestination[],
): string[] | null {
  const authorities = pins.filter(({ isCa }) => isCa);
  const isCertified = ({ host }: AllowedDestination) =>
    authorities.some((pin) => matches(pin.name.toLowerCase(), host.toLowerCase()));
  if (allowed.length === 0 || allowed.some(isCertified)) return null;
  const keys = pins.filter((pin) => allowed.some((one) => isPinFor(pin, one)));
  return [...new Set(keys.map(({ fingerprint }) => fingerprint))];
}
