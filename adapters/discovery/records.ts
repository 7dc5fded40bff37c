import type { NetworkInterface } from './interfaces.ts';
import { canonicalIPv6, type DnsMessage, type DnsRecord } from './message.ts';
import type { OutgoingRecord } from './multicast.ts';
import { foldName, localName } from './names.ts';

/** What is published: one instance of a service type on one host. */
export interface PublishedService {
  serviceType: string;
  /** One label. */
  instance: string;
  /** One label, without `.local`. */
  hostname: string;
  port: number;
  /** Keys and values, each pair at most 255 bytes (RFC 6763 §6). */
  txt: Record<string, string>;
}

/** The records of a service on one interface (RFC 6763 §4–6, §9). */
export interface ServiceRecords {
  instanceName: string;
  hostName: string;
  /** Service type → instance; shared with other responders. */
  pointer: OutgoingRecord;
  /** `_services._dns-sd._udp.local` → service type; shared. */
  enumeration: OutgoingRecord;
  service: OutgoingRecord;
  text: OutgoingRecord;
  addresses: OutgoingRecord[];
}

/** RFC 6762 §10, in seconds. */
const hostTtl = 120;
const otherTtl = 4500;

const enumerationName = localName('_services', '_dns-sd', '_udp');

export function recordsOf(
  published: PublishedService,
  networkInterface: NetworkInterface,
): ServiceRecords {
  const typeName = localName(published.serviceType);
  const instanceName = localName(published.instance, published.serviceType);
  const hostName = localName(published.hostname);
  const unique = { class: 'IN', flush: true } as const;
  return {
    instanceName,
    hostName,
    pointer: { name: typeName, type: 'PTR', class: 'IN', ttl: otherTtl, data: instanceName },
    enumeration: { name: enumerationName, type: 'PTR', class: 'IN', ttl: otherTtl, data: typeName },
    service: {
      name: instanceName,
      type: 'SRV',
      ttl: hostTtl,
      ...unique,
      data: { priority: 0, weight: 0, port: published.port, target: hostName },
    },
    text: {
      name: instanceName,
      type: 'TXT',
      ttl: otherTtl,
      ...unique,
      data: encodeText(published.txt),
    },
    addresses: [
      ...networkInterface.ipv4.map(({ address }) => addressRecord(hostName, 'A', address)),
      ...networkInterface.ipv6.map((address) => addressRecord(hostName, 'AAAA', address)),
    ],
  };
}

function addressRecord(name: string, type: 'A' | 'AAAA', data: string): OutgoingRecord {
  return { name, type, class: 'IN', flush: true, ttl: hostTtl, data };
}

/** A TXT record's strings; without any pair, one empty string (RFC 6763 §6.1). */
function encodeText(txt: Record<string, string>): Buffer[] {
  const strings = Object.entries(txt).map(([key, value]) => Buffer.from(`${key}=${value}`));
  return strings.length === 0 ? [Buffer.alloc(0)] : strings;
}

/** Everything about a service, for its announcement (RFC 6762 §8.3). */
export function announcementOf(records: ServiceRecords): OutgoingRecord[] {
  return [records.pointer, records.service, records.text, ...records.addresses];
}

/** The announcement with time to live zero (RFC 6762 §10.1). */
export function goodbyeOf(records: ServiceRecords): OutgoingRecord[] {
  return announcementOf(records).map((record) =>
    record.type === 'OPT' ? record : { ...record, ttl: 0 },
  );
}

/**
 * What a query gets (RFC 6762 §6, RFC 6763 §12), less what the asker already knows (RFC 6762 §7.1).
 * `null` when that is nothing.
 */
export function answersTo(
  query: DnsMessage,
  records: ServiceRecords,
): { answers: OutgoingRecord[]; additionals: OutgoingRecord[] } | null {
  const { pointer, enumeration, service, text, addresses } = records;
  const answers = new Set<OutgoingRecord>();
  const additionals = new Set<OutgoingRecord>();
  for (const { name, type } of query.questions) {
    for (const record of [pointer, enumeration, service, text, ...addresses])
      if (
        foldName(record.name) === foldName(name) &&
        (type === 'ANY' || record.type === type) &&
        !query.answers.some((known) => isKnown(record, known))
      )
        answers.add(record);
  }
  if (answers.has(pointer)) [service, text, ...addresses].forEach((each) => additionals.add(each));
  if (answers.has(service)) addresses.forEach((each) => additionals.add(each));
  if (answers.size === 0) return null;
  return { answers: [...answers], additionals: [...additionals.difference(answers)] };
}

function isKnown(record: OutgoingRecord, known: DnsRecord): boolean {
  return (
    record.type === 'PTR' &&
    known.type === 'PTR' &&
    foldName(known.name) === foldName(record.name) &&
    foldName(known.target) === foldName(record.data) &&
    known.ttl * 2 >= (record.ttl ?? 0)
  );
}

/**
 * Whether a response claims one of the service's own names for something else (RFC 6762 §9).
 * `ownAddresses`: of every interface, since one of ours may hear another on the same network.
 */
export function isConflict(
  response: DnsMessage,
  records: ServiceRecords,
  published: PublishedService,
  ownAddresses: Set<string>,
): boolean {
  return [...response.answers, ...response.additionals].some((record) => {
    if (record.ttl === 0) return false;
    const name = foldName(record.name);
    if (record.type === 'SRV')
      return (
        name === foldName(records.instanceName) &&
        (record.port !== published.port || foldName(record.target) !== foldName(records.hostName))
      );
    if (record.type === 'PTR') return false;
    return name === foldName(records.hostName) && !ownAddresses.has(record.address);
  });
}

/** The addresses of some interfaces, as `isConflict` compares them. */
export function addressesOf(networkInterfaces: Iterable<NetworkInterface>): Set<string> {
  const addresses = new Set<string>();
  for (const { ipv4, ipv6 } of networkInterfaces) {
    for (const { address } of ipv4) addresses.add(address);
    for (const address of ipv6) addresses.add(canonicalIPv6(address));
  }
  return addresses;
}

/**
 * Whether this host yields to another that probes for the same instance at the same time: the
 * lexicographically later SRV record wins (RFC 6762 §8.2). Its own probe, heard back, is a tie.
 */
export function losesTieBreak(
  probe: DnsMessage,
  records: ServiceRecords,
  published: PublishedService,
): boolean {
  const own = serviceData(0, 0, published.port, records.hostName);
  return probe.authorities.some(
    (record) =>
      record.type === 'SRV' &&
      foldName(record.name) === foldName(records.instanceName) &&
      Buffer.compare(serviceData(record.priority, record.weight, record.port, record.target), own) >
        0,
  );
}

/** SRV data uncompressed (RFC 2782), with the target folded. */
function serviceData(priority: number, weight: number, port: number, target: string): Buffer {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(priority, 0);
  numbers.writeUInt16BE(weight, 2);
  numbers.writeUInt16BE(port, 4);
  const labels = foldName(target)
    .split('.')
    .flatMap((label) => {
      const bytes = Buffer.from(label);
      return [Buffer.of(Math.min(bytes.length, 255)), bytes];
    });
  return Buffer.concat([numbers, ...labels, Buffer.of(0)]);
}
