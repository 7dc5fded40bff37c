/** Where a request goes, in words: the badge of a sheet and the way that a forwarded agent took. */
import type { Badge } from '../../machines/phone/destination.ts';
import type { Sheet } from '../../machines/phone/ports.ts';
import { showForeign } from '../terminal/foreign-text.ts';

/** No host has spaces: one that does could look like lines of the sheet. */
export const showHost = (host: string) => showForeign(host.replaceAll(' ', '\u{A0}'), 80);

/** `since`: milliseconds since 1970. */
const day = (since: number) => new Date(since).toISOString().slice(0, 10);

const unproven: Record<Extract<Badge, { badge: 'notProven' }>['why'], string> = {
  noBind: 'the program that asks shows no proof of where this goes',
  unsupportedHostKey: 'the server has a host key that cannot be checked here',
  expired: 'the certificate of the host has expired',
  notYetValid: 'the certificate of the host is not valid yet',
  otherHost: 'the certificate of the host is for another one',
  userCertificate: 'the certificate of the host is one for users',
  criticalOptions: 'the certificate of the host has options that are unknown here',
  badSignature: 'the certificate of the host is not signed by its authority',
};

/** The badge, as far as possible in the words of the table; `null`: a signature goes nowhere. */
export function destinationWords({ badge, host }: Pick<Sheet, 'badge' | 'host'>): string | null {
  switch (badge.badge) {
    case 'known': {
      const { name, fingerprint } = badge;
      const which = name === '' ? `the host with the key ${fingerprint}` : showHost(name);
      const how = badge.isCertified ? ', by its certificate' : '';
      return `${which}, known since ${day(badge.since)}${how}`;
    }
    case 'knownAs': {
      const name = badge.name === '' ? badge.fingerprint : badge.name;
      const asked = host === '' ? '' : `, asked for as ${showHost(host)}`;
      return `Known as ${showHost(name)} since ${day(badge.since)}${asked}`;
    }
    case 'newHost':
      return `New host: ${badge.fingerprint} was never seen here`;
    case 'newKeyType':
      return `New key type: ${badge.fingerprint} was never seen here, other keys of that name were`;
    case 'vouched': {
      const by = badge.name === null || badge.name === '' ? badge.fingerprint : badge.name;
      return `Vouched for by ${showHost(by)}, which may pass it on to another host`;
    }
    case 'changed':
      return `CHANGED: ${showHost(badge.name)} had the key ${badge.known}`;
    case 'notProven':
      return `Not proven: ${unproven[badge.why]}`;
    case 'signature':
      return null;
  }
}

/** Whether the host that the headset names is its word only. */
export const isOnlySaid = ({ badge }: Badge) => badge !== 'known';

/** The hosts through which the agent was forwarded, first one first; `null`: none. */
export function wayWords({ hops }: Pick<Sheet, 'hops'>): string | null {
  return hops.length === 0 ? null : `${hops.map(showHost).join(' → ')}, by agent forwarding`;
}
