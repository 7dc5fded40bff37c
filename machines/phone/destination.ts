/** Where a login goes, as far as it is proven: the badge of a sheet, decided from the phone's pins. */
import type { CertificateProblem, Proof, SignRequest } from './ports.ts';

/** What this phone has learnt of a host: under this name and port, a key of this type is this one. */
export interface HostPin {
  /** As typed; empty: known by its key alone. With `isCa` a pattern with `*` and `?`. */
  name: string;
  /** 0 for a host without a name; with `isCa`, for every port. */
  port: number;
  keyType: string;
  /** Of the host's key; with `isCa`, of the authority that certifies the hosts of that name. */
  fingerprint: string;
  isCa: boolean;
  /** Milliseconds since 1970. */
  since: number;
}

/** `fingerprint`: of the host key in question. */
export type Badge =
  /** Proven, and pinned for the name that was typed. `name` is empty where both have none. */
  | { badge: 'known'; name: string; since: number; isCertified: boolean; fingerprint: string }
  /** Proven, and pinned under another name than the one typed. */
  | { badge: 'knownAs'; name: string; since: number; fingerprint: string }
  /** Proven; nothing is known of it. */
  | { badge: 'newHost'; fingerprint: string }
  /** Proven; that name has keys of other types. */
  | { badge: 'newKeyType'; fingerprint: string }
  /** A host signed the session id, but the bytes do not name it. `name`: of its pin. */
  | { badge: 'vouched'; name: string | null; fingerprint: string }
  /** That name, port and key type has another key, `known`. */
  | { badge: 'changed'; name: string; known: string; fingerprint: string }
  | { badge: 'notProven'; why: 'noBind' | 'unsupportedHostKey' | CertificateProblem }
  /** An SSHSIG goes nowhere. */
  | { badge: 'signature' };

type Asked = Pick<SignRequest, 'host' | 'port' | 'proof'>;

/** The badge of a request. */
export function badgeOf(pins: readonly HostPin[], { host: typed, port, proof }: Asked): Badge {
  const { host, strength, why } = proof;
  if (host === null) {
    return why === 'signature'
      ? { badge: 'signature' }
      : { badge: 'notProven', why: why ?? 'noBind' };
  }
  const { fingerprint } = host;
  const ca = trustedAuthority(pins, typed, port, host.certificate?.ca);
  if (strength === 'bound' && ca !== undefined && host.certificate?.problem === null) {
    return { badge: 'known', name: typed, since: ca.since, isCertified: true, fingerprint };
  }
  const named = pins.filter((pin) => !pin.isCa && isNamed(pin, typed, port));
  const ofKey = pins.filter((pin) => !pin.isCa && pin.fingerprint === fingerprint);
  const known = named.find((pin) => pin.keyType === host.keyType);
  if (known !== undefined && typed !== '' && known.fingerprint !== fingerprint) {
    return { badge: 'changed', name: known.name, known: known.fingerprint, fingerprint };
  }
  if (strength === 'vouched') {
    return { badge: 'vouched', name: ofKey[0]?.name ?? null, fingerprint };
  }
  const [pin] = [...ofKey.filter((one) => isNamed(one, typed, port)), ...ofKey];
  if (pin !== undefined) {
    const { name, since } = pin;
    return isNamed(pin, typed, port)
      ? { badge: 'known', name, since, isCertified: false, fingerprint }
      : { badge: 'knownAs', name, since, fingerprint };
  }
  const problem = host.certificate?.problem ?? null;
  if (problem !== null) return { badge: 'notProven', why: problem };
  return { badge: named.length > 0 && typed !== '' ? 'newKeyType' : 'newHost', fingerprint };
}

function isNamed(pin: HostPin, typed: string, port: number): boolean {
  return pin.name.toLowerCase() === typed.toLowerCase() && (typed === '' || pin.port === port);
}

/** The pinned authority for hosts of this name, if it is the one that certified this host. */
function trustedAuthority(
  pins: readonly HostPin[],
  typed: string,
  port: number,
  ca: string | undefined,
): HostPin | undefined {
  if (ca === undefined || typed === '') return undefined;
  return pins.find(
    (pin) =>
      pin.isCa &&
      pin.fingerprint === ca &&
      (pin.port === 0 || pin.port === port) &&
      matches(pin.name.toLowerCase(), typed.toLowerCase()),
  );
}

/** `*` and `?` as in ssh_config(5), PATTERNS; never in exponential time: names are foreign text. */
export function matches(pattern: string, name: string): boolean {
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      [star, mark] = [p, n];
      p += 1;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      n = mark;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** The person has to read the code off the headset and type it here. */
export function mustTypeCode({ badge }: Badge, proof: Proof): boolean {
  return (
    badge === 'newHost' || badge === 'newKeyType' || badge === 'vouched' || proof.hops.length > 0
  );
}

/** Whether an approval can pin the proven key under the name that was typed. */
export function canPin({ badge }: Badge, typed: string): boolean {
  return badge === 'newHost' || badge === 'newKeyType' || (badge === 'knownAs' && typed !== '');
}

/** The hops of a request as a person knows them: by the name of a pin, else by fingerprint. */
export function hopNames(pins: readonly HostPin[], { hops }: Proof): string[] {
  return hops.map(
    ({ fingerprint }) =>
      pins.find((pin) => !pin.isCa && pin.name !== '' && pin.fingerprint === fingerprint)?.name ??
      fingerprint,
  );
}
