import { expect, it } from 'vitest';
import type { NetworkInterface } from '../../adapters/discovery/interfaces.ts';
import { isOnSubnet, isSameInterface } from '../../adapters/discovery/interfaces.ts';
import type { DnsMessage, DnsRecord } from '../../adapters/discovery/message.ts';
import { renamed } from '../../adapters/discovery/names.ts';
import {
  addressesOf,
  answersTo,
  goodbyeOf,
  isConflict,
  losesTieBreak,
  recordsOf,
} from '../../adapters/discovery/records.ts';

const wifi: NetworkInterface = {
  name: 'wifi',
  ipv4: [{ address: '192.0.2.1', netmask: '255.255.255.128' }],
  ipv6: ['fe80::1'],
  mac: '02:00:00:00:00:01',
  internal: false,
  index: 3,
};
const published = {
  serviceType: '_vmux-signer._tcp',
  instance: 'phone',
  hostname: 'host',
  port: 4433,
  txt: {},
};
const records = recordsOf(published, wifi);
const typeName = '_vmux-signer._tcp.local';
const instanceName = `phone.${typeName}`;

function message(parts: Partial<DnsMessage>): DnsMessage {
  const empty = { questions: [], answers: [], authorities: [], additionals: [] };
  return { kind: 'query', id: 0, ...empty, ...parts };
}
function service(port: number, target: string): DnsRecord {
  const data = { priority: 0, weight: 0, port, target };
  return { name: instanceName, type: 'SRV', ttl: 120, flush: true, ...data };
}
const typesAnswered = (query: DnsMessage): (string[] | undefined)[] => {
  const reply = answersTo(query, records);
  return [reply?.answers, reply?.additionals].map((part) => part?.map(({ type }) => type));
};

const ask = (name: string, type: string): (string[] | undefined)[] =>
  typesAnswered(message({ questions: [{ name, type }] }));

const browsingWith = (ttl: number): DnsMessage =>
  message({
    questions: [{ name: typeName, type: 'PTR' }],
    answers: [{ name: typeName, type: 'PTR', ttl, flush: false, target: instanceName }],
  });

const address = (value: string): DnsRecord => ({
  name: 'HOST.local',
  type: value.includes(':') ? 'AAAA' : 'A',
  ttl: 120,
  flush: true,
  address: value,
});

const losesAgainst = (port: number, target = 'host.local'): boolean =>
  losesTieBreak(message({ authorities: [service(port, target)] }), records, published);

it('a browser gets the instance and all that resolves it', () => {
  expect(typesAnswered(message({ questions: [{ name: typeName, type: 'PTR' }] }))).toEqual([
    ['PTR'],
    ['SRV', 'TXT', 'A', 'AAAA'],
  ]);
});

it('each record is answered by its name and type, whatever the case', () => {
  expect(ask('PHONE._vmux-signer._tcp.LOCAL', 'SRV')).toEqual([['SRV'], ['A', 'AAAA']]);
  expect(ask(instanceName, 'ANY')).toEqual([
    ['SRV', 'TXT'],
    ['A', 'AAAA'],
  ]);
  expect(ask('host.local', 'A')).toEqual([['A'], []]);
  expect(ask('_services._dns-sd._udp.local', 'PTR')).toEqual([['PTR'], []]);
  expect(ask('other.local', 'ANY')).toEqual([undefined, undefined]);
  expect(ask('host.local', 'UNKNOWN_64')).toEqual([undefined, undefined]);
});

it('what the asker knows is not repeated until half of its life is over', () => {
  expect(answersTo(browsingWith(2250), records)).toBeNull();
  expect(answersTo(browsingWith(2249), records)).not.toBeNull();
});

it('a goodbye has no time to live', () => {
  expect(goodbyeOf(records)).toMatchObject([
    { type: 'PTR', ttl: 0 },
    { type: 'SRV', ttl: 0 },
    { type: 'TXT', ttl: 0 },
    { type: 'A', ttl: 0 },
    { type: 'AAAA', ttl: 0 },
  ]);
});

it('nothing of the person or the machine is in the TXT record', () => {
  expect(records.text).toMatchObject({ data: [Buffer.alloc(0)] });
});

it('another service or address under its own name is a conflict, its own echo is not', () => {
  const own = addressesOf([wifi]);
  const conflicts = (...answers: DnsRecord[]): boolean =>
    isConflict(message({ kind: 'response', answers }), records, published, own);
  expect(conflicts(service(4433, 'host.local'), address('192.0.2.1'), address('fe80::1'))).toBe(
    false,
  );
  expect(conflicts(service(4434, 'host.local'))).toBe(true);
  expect(conflicts(service(4433, 'other.local'))).toBe(true);
  expect(conflicts({ ...service(4434, 'host.local'), ttl: 0 })).toBe(false);
  expect(conflicts(address('192.0.2.2'))).toBe(true);
  expect(conflicts(address('fe80::2'))).toBe(true);
});

it('of two that probe at once, the later record wins', () => {
  expect(losesAgainst(4433)).toBe(false);
  expect(losesAgainst(4434)).toBe(true);
  expect(losesAgainst(4432)).toBe(false);
  expect(losesAgainst(4433, 'hosu.local')).toBe(true);
});

it('a name stays one label when it is renamed', () => {
  expect(renamed('phone', 1)).toBe('phone-2');
  expect(renamed('x'.repeat(63), 9)).toBe(`${'x'.repeat(60)}-10`);
  expect(renamed('é'.repeat(31), 1)).toBe(`${'é'.repeat(30)}-2`);
});

it('only addresses of its own subnets are on an interface', () => {
  expect(isOnSubnet('192.0.2.127', wifi)).toBe(true);
  expect(isOnSubnet('192.0.2.128', wifi)).toBe(false);
  expect(isOnSubnet('fe80::1', wifi)).toBe(false);
  expect(isOnSubnet('', wifi)).toBe(false);
});

it('an interface made again under its old name and address is another one', () => {
  expect(isSameInterface(wifi, { ...wifi, ipv6: ['fe80::2'] })).toBe(true);
  expect(isSameInterface(wifi, { ...wifi, index: null })).toBe(true);
  expect(isSameInterface(wifi, { ...wifi, index: 4 })).toBe(false);
  expect(isSameInterface(wifi, { ...wifi, mac: '02:00:00:00:00:02' })).toBe(false);
  expect(isSameInterface(wifi, { ...wifi, ipv4: [] })).toBe(false);
});
