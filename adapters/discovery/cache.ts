import { isLinkLocal, isOnSubnet, type NetworkInterface } from './interfaces.ts';
import type { DnsMessage, DnsQuestion, DnsRecord } from './message.ts';
import { foldName, instanceIn, localName } from './names.ts';

/** What one interface says of one instance now. */
export interface Sighting {
  instance: string;
  /** 0 while only the instance's name is known. */
  port: number;
  ipv4: string[];
  /** Link-local, with scope: `fe80::1%eth0`. */
  ipv6: string[];
}

/** A PTR record that its sender need not repeat (RFC 6762 §7.1). `ttl`: seconds left. */
export interface KnownAnswer {
  target: string;
  ttl: number;
}

/**
 * The records of one service type heard on one interface. Only what belongs to a known instance is
 * kept, so its size is bounded by `maxInstances`. Times are milliseconds of a monotonic clock.
 */
export interface RecordCache {
  take(message: DnsMessage, now: number): void;
  /** Forgets what has expired. */
  expire(now: number): void;
  sightings(): Sighting[];
  /** What is missing to resolve the instances. */
  missing(): DnsQuestion[];
  /** What nears its end and should be asked again; each is returned once when due. */
  refreshes(now: number): DnsQuestion[];
  knownAnswers(now: number): KnownAnswer[];
  /** When something next expires or needs a refresh; `Infinity` when nothing does. */
  nextChange(): number;
}

export const maxInstances = 256;
const maxAddresses = 8;
/** RFC 6762 §10: no record needs more; a hostile one gets no more. Seconds. */
const maxTtl = 4500;
/** Records that live shorter are not worth asking for again; they come by themselves or go. */
const minRefreshedTtl = 10;
/** Parts of the TTL after which a record is asked for again (RFC 6762 §5.2). */
const refreshPoints = [0.8, 0.85, 0.9, 0.95];
/** How long a record outlives its goodbye (§10.1) or a successor with the flush bit (§10.2). */
const grace = 1000;

interface Life {
  receivedAt: number;
  expiresAt: number;
  /** When to ask again, ascending. */
  refreshAt: number[];
}

interface Instance {
  name: string;
  instance: string;
  pointer: Life;
  /** `host` is the target, folded. */
  service: { port: number; target: string; host: string; life: Life } | null;
}

export function createRecordCache(
  serviceType: string,
  networkInterface: () => NetworkInterface,
): RecordCache {
  const typeName = foldName(localName(serviceType));
  const instances = new Map<string, Instance>();
  const hosts = new Map<string, Map<string, { type: 'A' | 'AAAA'; life: Life }>>();

  function takePointer(record: DnsRecord & { type: 'PTR' }, now: number): void {
    const instance = instanceIn(record.target, serviceType);
    if (foldName(record.name) !== typeName || instance === null) return;
    const key = foldName(record.target);
    const known = instances.get(key);
    if (record.ttl === 0) {
      if (known !== undefined) endSoon(known.pointer, now);
    } else if (known !== undefined) known.pointer = lifeOf(record, now);
    else if (instances.size < maxInstances)
      instances.set(key, {
        name: record.target,
        instance,
        pointer: lifeOf(record, now),
        service: null,
      });
  }

  function takeService(record: DnsRecord & { type: 'SRV' }, now: number): void {
    const known = instances.get(foldName(record.name));
    if (known === undefined) return;
    if (record.ttl === 0) {
      if (known.service !== null) endSoon(known.service.life, now);
    } else if (record.port > 0)
      known.service = {
        port: record.port,
        target: record.target,
        host: foldName(record.target),
        life: lifeOf(record, now),
      };
  }

  function takeAddress(
    record: DnsRecord & { type: 'A' | 'AAAA' },
    targets: Set<string>,
    now: number,
  ): void {
    const host = foldName(record.name);
    const usable =
      record.type === 'A'
        ? isOnSubnet(record.address, networkInterface())
        : isLinkLocal(record.address);
    if (!usable || !targets.has(host)) return;
    const addresses = hosts.get(host) ?? new Map<string, { type: 'A' | 'AAAA'; life: Life }>();
    if (record.flush && record.ttl > 0)
      for (const [address, { type, life }] of addresses)
        if (type === record.type && address !== record.address && now - life.receivedAt > grace)
          endSoon(life, now);
    const known = addresses.get(record.address);
    if (record.ttl === 0) {
      if (known !== undefined) endSoon(known.life, now);
    } else if (known !== undefined || addresses.size < maxAddresses)
      addresses.set(record.address, { type: record.type, life: lifeOf(record, now) });
    hosts.set(host, addresses);
  }

  function targetHosts(): Set<string> {
    return new Set([...instances.values()].flatMap(({ service }) => service?.host ?? []));
  }

  function addressesOf(host: string, type: 'A' | 'AAAA'): string[] {
    const addresses = hosts.get(host) ?? [];
    return [...addresses].flatMap(([address, entry]) => (entry.type === type ? [address] : []));
  }

  /** Every record's life, with the question that would renew it. */
  function* lives(): Generator<{ life: Life; question: DnsQuestion }> {
    for (const { name, pointer, service } of instances.values()) {
      yield { life: pointer, question: { name: localName(serviceType), type: 'PTR' } };
      if (service !== null) yield { life: service.life, question: { name, type: 'SRV' } };
    }
    for (const [name, addresses] of hosts)
      for (const { type, life } of addresses.values()) yield { life, question: { name, type } };
  }

  return {
    take(message, now) {
      const records = [...message.answers, ...message.additionals];
      for (const record of records) if (record.type === 'PTR') takePointer(record, now);
      for (const record of records) if (record.type === 'SRV') takeService(record, now);
      const targets = targetHosts();
      for (const record of records)
        if (record.type === 'A' || record.type === 'AAAA') takeAddress(record, targets, now);
    },
    expire(now) {
      for (const [key, known] of instances) {
        if (known.pointer.expiresAt <= now) instances.delete(key);
        else if (known.service !== null && known.service.life.expiresAt <= now)
          known.service = null;
      }
      const targets = targetHosts();
      for (const [host, addresses] of hosts) {
        for (const [address, { life }] of addresses)
          if (life.expiresAt <= now) addresses.delete(address);
        if (addresses.size === 0 || !targets.has(host)) hosts.delete(host);
      }
    },
    sightings() {
      const scope = networkInterface().name;
      return [...instances.values()].map(({ instance, service }) => ({
        instance,
        port: service?.port ?? 0,
        ipv4: service === null ? [] : addressesOf(service.host, 'A'),
        ipv6:
          service === null
            ? []
            : addressesOf(service.host, 'AAAA').map((address) => `${address}%${scope}`),
      }));
    },
    missing() {
      return [...instances.values()].flatMap(({ name, service }): DnsQuestion[] => {
        if (service === null) return [{ name, type: 'SRV' }];
        if (hosts.has(service.host)) return [];
        return [
          { name: service.target, type: 'A' },
          { name: service.target, type: 'AAAA' },
        ];
      });
    },
    refreshes(now) {
      const due: DnsQuestion[] = [];
      for (const { life, question } of lives()) {
        const later = life.refreshAt.filter((at) => at > now);
        if (later.length < life.refreshAt.length) due.push(question);
        life.refreshAt = later;
      }
      return due;
    },
    knownAnswers(now) {
      return [...instances.values()].flatMap(({ name, pointer }) => {
        const left = pointer.expiresAt - now;
        const half = (pointer.expiresAt - pointer.receivedAt) / 2;
        return left > half ? [{ target: name, ttl: Math.round(left / 1000) }] : [];
      });
    },
    nextChange() {
      let next = Infinity;
      for (const { life } of lives())
        next = Math.min(next, life.expiresAt, life.refreshAt[0] ?? Infinity);
      return next;
    },
  };
}

function lifeOf({ ttl }: { ttl: number }, now: number): Life {
  const seconds = Math.min(ttl, maxTtl);
  const refreshAt =
    seconds < minRefreshedTtl
      ? []
      : refreshPoints.map((point) => now + seconds * 1000 * (point + Math.random() * 0.02));
  return { receivedAt: now, expiresAt: now + seconds * 1000, refreshAt };
}

function endSoon(life: Life, now: number): void {
  life.expiresAt = Math.min(life.expiresAt, now + grace);
  life.refreshAt = [];
}
