/** What the headset keeps: projections of its event log, and the appends that change them. */
import type { Endpoint, PublicIdentity } from '../../machines/ports.ts';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import type { PinnedHostKey } from '../../adapters/ssh/known-hosts.ts';

export interface PairedPhone {
  id: string;
  /** As the phone calls itself: foreign text. */
  name: string;
  pin: string;
  certificatePem: string;
  pairedAt: number;
  /** Where it was last linked. */
  endpoint: Endpoint | null;
}

export type AuthenticationMethod = 'remote-signer' | 'password' | 'device-key' | 'ssh-agent';

export interface SavedHost {
  name: string;
  host: string;
  port: number | null;
  user: string | null;
  term: string;
  authentication: AuthenticationMethod;
  /** Milliseconds for the person to approve; `null`: the page's ten seconds. */
  signerTimeout: number | null;
}

/** The last value of a stream whose `gone` event ends it. */
function latest<T>(events: Iterable<Envelope>, set: string, gone: string): T | null {
  let value: T | null = null;
  for (const { type, data } of events) {
    if (type === set) value = data as T;
    if (type === gone) value = null;
  }
  return value;
}

export function pairedPhones(log: EventLog): PairedPhone[] {
  return log.streams('phone/').flatMap((stream) => {
    let phone: PairedPhone | null = null;
    for (const { type, data, at } of log.read(stream)) {
      if (type === 'phone.paired') {
        phone = { ...(data as unknown as PairedPhone), pairedAt: at, endpoint: null };
      }
      if (type === 'phone.removed') phone = null;
      if (type === 'phone.metAt' && phone !== null) {
        phone = { ...phone, endpoint: data as unknown as Endpoint };
      }
    }
    return phone === null ? [] : [phone];
  });
}

export function addPhone(
  log: EventLog,
  phone: { id: string; name: string; pin: string; certificatePem: string },
): void {
  const { id, name, pin, certificatePem } = phone;
  log.append(`phone/${id}`, 'any', [
    { type: 'phone.paired', data: { id, name, pin, certificatePem } },
  ]);
}

const offerStream = (phoneId: string) => `offer/${phoneId}`;

/** What each paired phone offered when it was last linked. */
export function offeredIdentities(log: EventLog): PublicIdentity[] {
  const all = pairedPhones(log).flatMap(
    ({ id }) =>
      latest<{ identities: PublicIdentity[] }>(
        log.read(offerStream(id)),
        'offer.changed',
        'offer.forgotten',
      )?.identities ?? [],
  );
  return all.filter(
    ({ fingerprint }, i) => all.findIndex((one) => one.fingerprint === fingerprint) === i,
  );
}

/** Remembers what a phone offers, if that is news. */
export function rememberOffer(log: EventLog, phoneId: string, identities: PublicIdentity[]): void {
  const known = latest<{ identities: PublicIdentity[] }>(
    log.read(offerStream(phoneId)),
    'offer.changed',
    'offer.forgotten',
  );
  if (JSON.stringify(known?.identities) === JSON.stringify(identities)) return;
  const data = { identities: identities.map((identity) => ({ ...identity })) };
  log.append(offerStream(phoneId), 'any', [{ type: 'offer.changed', data }]);
}

/** A phone that was wiped is paired anew, under its name: what it offered before is gone. */
export function forgetOffersOfNamesakes(log: EventLog, phone: { id: string; name: string }): void {
  const gone = pairedPhones(log).filter(({ id, name }) => name === phone.name && id !== phone.id);
  log.appendMany(
    gone.map(({ id }) => ({
      stream: offerStream(id),
      expectedVersion: 'any',
      events: [{ type: 'offer.forgotten' }],
    })),
  );
}

export function removePhone(log: EventLog, id: string, by: 'headset' | 'phone'): void {
  log.append(`phone/${id}`, 'any', [{ type: 'phone.removed', data: { by } }]);
}

/** Remembers where a phone was met, if that is news. */
export function metPhoneAt(log: EventLog, id: string, endpoint: Endpoint): void {
  const known = pairedPhones(log).find((phone) => phone.id === id);
  if (known === undefined) return;
  const { address, port } = endpoint;
  if (known.endpoint?.address === address && known.endpoint.port === port) return;
  log.append(`phone/${id}`, 'any', [{ type: 'phone.metAt', data: { address, port } }]);
}

export function savedHosts(log: EventLog): SavedHost[] {
  return log.streams('host/').flatMap((stream) => {
    const host = latest<SavedHost>(log.read(stream), 'host.saved', 'host.removed');
    return host === null ? [] : [host];
  });
}

export function saveHost(log: EventLog, host: SavedHost): void {
  log.append(`host/${host.name}`, 'any', [{ type: 'host.saved', data: { ...host } }]);
}

export function removeHost(log: EventLog, name: string): void {
  log.append(`host/${name}`, 'any', [{ type: 'host.removed' }]);
}

const hostKeyStream = (name: string, port: number, keyType: string) =>
  `host-key/${name}:${port}/${keyType}`;

export function pinnedHostKeys(log: EventLog, name: string, port: number): PinnedHostKey[] {
  return log.streams(`host-key/${name}:${port}/`).flatMap((stream) => {
    const pinned = latest<PinnedHostKey>(log.read(stream), 'hostKey.pinned', 'hostKey.forgotten');
    return pinned === null ? [] : [pinned];
  });
}

export function pinHostKey(log: EventLog, pinned: PinnedHostKey): void {
  const { name, port, keyType, key } = pinned;
  log.append(hostKeyStream(name, port, keyType), 'any', [
    { type: 'hostKey.pinned', data: { name, port, keyType, key } },
  ]);
}

/** Returns how many keys were forgotten. */
export function forgetHostKeys(log: EventLog, name: string, port: number): number {
  const pinned = pinnedHostKeys(log, name, port);
  log.appendMany(
    pinned.map(({ keyType }) => ({
      stream: hostKeyStream(name, port, keyType),
      expectedVersion: 'any',
      events: [{ type: 'hostKey.forgotten' }],
    })),
  );
  return pinned.length;
}

/** A server and user as the person named them. */
export interface Target {
  host: string;
  port: number | null;
  user: string | null;
}

const loginStream = ({ host, port, user }: Target) => `login/${user ?? ''}@${host}:${port ?? ''}`;

/** The identity of the last successful login there, as a fingerprint. */
export function lastIdentity(log: EventLog, target: Target): string | null {
  const login = latest<{ fingerprint: string }>(
    log.read(loginStream(target)),
    'login.succeeded',
    'login.forgotten',
  );
  return login?.fingerprint ?? null;
}

export function rememberLogin(log: EventLog, target: Target, fingerprint: string): void {
  if (lastIdentity(log, target) === fingerprint) return;
  log.append(loginStream(target), 'any', [{ type: 'login.succeeded', data: { fingerprint } }]);
}

const hostLoginStream = (hostKey: string) => `host-login/${hostKey}`;

/** Identities that have logged in at the host with this key, the last one first. Fingerprints. */
export function identitiesOfHost(log: EventLog, hostKey: string): string[] {
  const used: string[] = [];
  for (const { type, data } of log.read(hostLoginStream(hostKey))) {
    if (type === 'login.succeeded') used.unshift((data as { fingerprint: string }).fingerprint);
  }
  return [...new Set(used)];
}

export function rememberHostLogin(log: EventLog, hostKey: string, fingerprint: string): void {
  if (identitiesOfHost(log, hostKey)[0] === fingerprint) return;
  log.append(hostLoginStream(hostKey), 'any', [{ type: 'login.succeeded', data: { fingerprint } }]);
}
