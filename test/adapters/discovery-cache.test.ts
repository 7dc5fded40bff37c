import { expect, it } from 'vitest';
import { createRecordCache, maxInstances } from '../../adapters/discovery/cache.ts';
import type { NetworkInterface } from '../../adapters/discovery/interfaces.ts';
import type { DnsMessage, DnsRecord } from '../../adapters/discovery/message.ts';

const serviceType = '_vmux-signer._tcp';
const typeName = `${serviceType}.local`;
const wifi: NetworkInterface = {
  name: 'wifi',
  ipv4: [{ address: '192.0.2.1', netmask: '255.255.255.0' }],
  ipv6: [],
  mac: '02:00:00:00:00:01',
  internal: false,
  index: 3,
};

function pointer(instance: string, ttl = 4500): DnsRecord {
  return { name: typeName, type: 'PTR', ttl, flush: false, target: `${instance}.${typeName}` };
}
function service(instance: string, target: string, { port = 4433, ttl = 120 } = {}): DnsRecord {
  const name = `${instance}.${typeName}`;
  return { name, type: 'SRV', ttl, flush: true, priority: 0, weight: 0, port, target };
}
function address(host: string, value: string, ttl = 120): DnsRecord {
  const type = value.includes(':') ? 'AAAA' : 'A';
  return { name: host, type, ttl, flush: true, address: value };
}
function response(...answers: DnsRecord[]): DnsMessage {
  return { kind: 'response', id: 0, questions: [], answers, authorities: [], additionals: [] };
}
const newCache = (): ReturnType<typeof createRecordCache> =>
  createRecordCache(serviceType, () => wifi);
const phone = [
  pointer('phone'),
  service('phone', 'host.local'),
  address('host.local', '192.0.2.7'),
];

it('an instance is resolved from records in any order within a message', () => {
  const cache = newCache();
  cache.take(response(...phone.toReversed(), address('host.local', 'fe80::7')), 0);
  expect(cache.sightings()).toEqual([
    { instance: 'phone', port: 4433, ipv4: ['192.0.2.7'], ipv6: ['fe80::7%wifi'] },
  ]);
  expect(cache.missing()).toEqual([]);
});

it('what is missing to resolve an instance is asked for', () => {
  const cache = newCache();
  cache.take(response(pointer('phone')), 0);
  expect(cache.missing()).toEqual([{ name: `phone.${typeName}`, type: 'SRV' }]);
  cache.take(response(service('phone', 'host.local')), 0);
  expect(cache.missing()).toEqual([
    { name: 'host.local', type: 'A' },
    { name: 'host.local', type: 'AAAA' },
  ]);
});

it('names compare without case', () => {
  const cache = newCache();
  cache.take(response(pointer('phone'), service('PHONE', 'Host.Local')), 0);
  cache.take(response(address('hOST.local', '192.0.2.7')), 0);
  expect(cache.sightings()[0]?.ipv4).toEqual(['192.0.2.7']);
});

it('a record is asked for again at 80, 85, 90 and 95 percent of its life, and then gone', () => {
  const cache = newCache();
  cache.take(response(...phone), 0);
  const questions = [
    { name: `phone.${typeName}`, type: 'SRV' },
    { name: 'host.local', type: 'A' },
  ];
  expect(cache.refreshes(95_900)).toEqual([]);
  for (const percent of [82, 87, 92, 97]) {
    expect(cache.refreshes(percent * 1200)).toEqual(questions);
    expect(cache.refreshes(percent * 1200)).toEqual([]);
  }
  cache.expire(119_999);
  expect(cache.sightings()[0]?.port).toBe(4433);
  cache.expire(120_000);
  expect(cache.sightings()[0]).toEqual({ instance: 'phone', port: 0, ipv4: [], ipv6: [] });
});

it('a record that is repeated lives on', () => {
  const cache = newCache();
  cache.take(response(...phone), 0);
  cache.take(response(...phone), 100_000);
  cache.expire(200_000);
  expect(cache.sightings()[0]?.ipv4).toEqual(['192.0.2.7']);
});

it('an instance outlives its goodbye by one second', () => {
  const cache = newCache();
  cache.take(response(...phone), 0);
  cache.take(response(pointer('phone', 0)), 5000);
  expect(cache.nextChange()).toBe(6000);
  cache.expire(5999);
  expect(cache.sightings()).toHaveLength(1);
  cache.expire(6000);
  expect(cache.sightings()).toEqual([]);
});

it('a goodbye for what is not known changes nothing', () => {
  const cache = newCache();
  cache.take(
    response(
      pointer('phone', 0),
      service('phone', 'host.local', { ttl: 0 }),
      address('host.local', '192.0.2.7', 0),
    ),
    0,
  );
  expect(cache.sightings()).toEqual([]);
  expect(cache.nextChange()).toBe(Infinity);
});

it('a new address replaces the old one within a second, and both stand if they came together', () => {
  const cache = newCache();
  cache.take(response(...phone, address('host.local', '192.0.2.8')), 0);
  cache.take(response(address('host.local', '192.0.2.9')), 10_000);
  cache.expire(10_999);
  expect(cache.sightings()[0]?.ipv4).toEqual(['192.0.2.7', '192.0.2.8', '192.0.2.9']);
  cache.expire(11_000);
  expect(cache.sightings()[0]?.ipv4).toEqual(['192.0.2.9']);
});

it('addresses beyond the interface are not taken', () => {
  const cache = newCache();
  const elsewhere = ['198.51.100.7', '127.0.0.1', '0.0.0.0', '224.0.0.251', '2001:db8::1', '::1'];
  const records = elsewhere.map((each) => address('host.local', each));
  cache.take(response(pointer('phone'), service('phone', 'host.local'), ...records), 0);
  expect(cache.sightings()[0]).toMatchObject({ ipv4: [], ipv6: [] });
});

it('no more than 256 instances and eight addresses of a host are kept', () => {
  const cache = newCache();
  const names = Array.from({ length: 300 }, (_, index) => `phone-${index}`);
  cache.take(response(...names.map((name) => pointer(name))), 0);
  expect(cache.sightings()).toHaveLength(maxInstances);
  expect(maxInstances).toBe(256);
  const addresses = Array.from({ length: 20 }, (_, index) =>
    address('host.local', `192.0.2.${index + 10}`),
  );
  cache.take(response(service('phone-0', 'host.local'), ...addresses), 0);
  expect(cache.sightings()[0]?.ipv4).toHaveLength(8);
});

it('no record lives longer than 75 minutes', () => {
  const cache = newCache();
  cache.take(response(pointer('phone', 2 ** 31)), 0);
  cache.expire(4_500_000);
  expect(cache.sightings()).toEqual([]);
});

it('records of hosts and instances that nobody pointed at are not kept', () => {
  const cache = newCache();
  cache.take(response(service('phone', 'host.local'), address('host.local', '192.0.2.7')), 0);
  expect(cache.sightings()).toEqual([]);
  expect(cache.nextChange()).toBe(Infinity);
});

it('an answer is known to its sender while more than half of its life is left', () => {
  const cache = newCache();
  cache.take(response(pointer('phone')), 0);
  expect(cache.knownAnswers(1_000_000)).toEqual([{ target: `phone.${typeName}`, ttl: 3500 }]);
  expect(cache.knownAnswers(2_250_000)).toEqual([]);
});
