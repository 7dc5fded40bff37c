/**
 * Which keys an asker is shown, and in which order. A server counts each offer against its
 * MaxAuthTries, so the right key has to be among the first.
 */
import { SK_ECDSA_SHA2_NISTP256 } from '../../../adapters/wire/identity-key.ts';
import type { PublicIdentity } from '../../../machines/ports.ts';

/** OpenSSH's MaxAuthTries is 6, and the signature itself is one of them. */
const MAX_OFFERS = 5;

export interface Asker {
  /** The host that logs in, by the fingerprint of its key; `null`: none was bound. */
  hostKey: string | null;
  /** The last that is known of the asker is a host through which the agent was forwarded. */
  isForwarded: boolean;
}

/**
 * Whether every ssh takes this identity's signatures from an agent. Before 10.3, ssh refuses those of
 * a passkey after it has asked for two of them, and an agent is not told which ssh it serves.
 */
export const isForAgents = ({ algorithm }: PublicIdentity) => algorithm !== SK_ECDSA_SHA2_NISTP256;

export interface KeyOrder {
  /** `used`: the identities that logged in at that host before, the last one first. */
  forAsker(all: readonly PublicIdentity[], asker: Asker, used: readonly string[]): PublicIdentity[];
}

/**
 * Without a host, all of them. With one, those that may go there, at most five: first those that
 * logged in there before, then those that were shown there least often, so that a host which takes
 * none of the first five meets the others when it is asked again.
 */
export function createKeyOrder(): KeyOrder {
  const shown = new Map<string, Map<string, number>>();

  return {
    forAsker(all, { hostKey, isForwarded }, used) {
      if (hostKey === null) {
        return isForwarded ? all.filter(({ onlyFor }) => onlyFor === undefined) : [...all];
      }
      const counts = shown.get(hostKey) ?? new Map<string, number>();
      shown.set(hostKey, counts);
      const count = ({ fingerprint }: PublicIdentity) => counts.get(fingerprint) ?? 0;
      const age = ({ fingerprint }: PublicIdentity) =>
        used.includes(fingerprint) ? used.indexOf(fingerprint) : used.length;
      const offered = all
        .filter(({ onlyFor }) => onlyFor === undefined || onlyFor.includes(hostKey))
        .toSorted((one, other) => age(one) - age(other) || count(one) - count(other))
        .slice(0, MAX_OFFERS);
      for (const identity of offered) counts.set(identity.fingerprint, count(identity) + 1);
      return offered;
    },
  };
}
