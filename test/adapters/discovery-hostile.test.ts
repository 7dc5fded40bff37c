import dgram from 'node:dgram';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAllowance } from '../../adapters/discovery/allowance.ts';
import { browse } from '../../adapters/discovery/browse.ts';
import type { PeerFact } from '../../machines/headset/ports.ts';
import type { AdvertiseFact } from '../../machines/phone/ports.ts';
import { isPlausibleMessage } from '../../adapters/discovery/message.ts';
import { instanceIn, isSendable } from '../../adapters/discovery/names.ts';
import { publish } from '../../adapters/discovery/publish.ts';
import {
  boundSocket,
  loopbackMulticastMissing,
  privateMulticast,
  type PrivateMulticast,
} from '../support/private-multicast.ts';
import { watchFacts, type Watch } from '../support/watch-facts.ts';

const serviceType = '_vmux-signer._tcp';
const typeLabels = ['_vmux-signer', '_tcp', 'local'];

/** RFC 1035 §4.1: what the tests send, written by hand so that it may be wrong. */
function header(flags: number, counts: [number, number, number, number]): Buffer {
  const bytes = Buffer.alloc(12);
  [0, flags, ...counts].forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}
function name(...labels: (string | Buffer)[]): Buffer {
  const parts = labels.flatMap((label) => [
    Buffer.of(Buffer.byteLength(label)),
    Buffer.from(label),
  ]);
  return Buffer.concat([...parts, Buffer.of(0)]);
}
function record(owner: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(120, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}
function response(...records: Buffer[]): Buffer {
  return Buffer.concat([header(0x84_00, [0, records.length, 0, 0]), ...records]);
}
function announcement(instance: string | Buffer, host: string | Buffer = 'host'): Buffer {
  const instanceName = name(instance, ...typeLabels);
  return response(
    record(name(...typeLabels), 12, instanceName),
    record(
      instanceName,
      33,
      Buffer.concat([Buffer.from('0000000011d1', 'hex'), name(host, 'local')]),
    ),
    record(name(host, 'local'), 1, Buffer.of(127, 0, 0, 1)),
  );
}
const query = Buffer.concat([header(0, [1, 0, 0, 0]), name(...typeLabels), Buffer.of(0, 12, 0, 1)]);

/** Everything DNS-SD reads and some that it does not, as the property below distorts it. */
const seeds = [
  query,
  announcement('phone'),
  Buffer.concat([header(0, [1, 0, 1, 0]), query.subarray(12), announcement('phone').subarray(12)]),
  response(
    record(name('host', 'local'), 16, Buffer.from('\x03a=b')),
    record(name('host', 'local'), 28, Buffer.alloc(16, 0xfe)),
    record(name('host', 'local'), 47, Buffer.from('0400000000', 'hex')),
    record(name(), 41, Buffer.from('0004000c0000', 'hex')),
    record(name('host', 'local'), 65_000, Buffer.from('private')),
  ),
];

it('a packet that claims 65,535 records in 12 bytes is not decoded', () => {
  expect(isPlausibleMessage(header(0x84_00, [65_535, 65_535, 65_535, 65_535]))).toBe(false);
  expect(isPlausibleMessage(header(0x84_00, [0, 65_535, 0, 0]))).toBe(false);
  expect(isPlausibleMessage(header(0x84_00, [0, 0, 0, 0]))).toBe(true);
});

it('no prefix of a message that is shorter than its records could be is decoded', () => {
  const whole = response(record(name(), 12, name()));
  for (let length = 0; length < 12 + 11; length += 1)
    expect(isPlausibleMessage(whole.subarray(0, length))).toBe(false);
  expect(isPlausibleMessage(whole)).toBe(true);
});

it('oversized messages and foreign opcodes and rcodes are not decoded', () => {
  expect(isPlausibleMessage(Buffer.concat([response(), Buffer.alloc(8989)]))).toBe(false);
  expect(isPlausibleMessage(header(0x28_00, [0, 0, 0, 0]))).toBe(false);
  expect(isPlausibleMessage(header(0x84_03, [0, 0, 0, 0]))).toBe(false);
});

it('an instance is kept as it came, and only when it is one valid label of the type', () => {
  const full = (label: string): string => `${label}.${serviceType}.local`;
  expect(instanceIn(full('My. phone\u0007\u202E'), serviceType)).toBe('My. phone\u0007\u202E');
  expect(instanceIn(full('x'), '_vmux-pair._tcp')).toBeNull();
  expect(instanceIn(full('x').toUpperCase(), serviceType)).toBe('X');
  expect(instanceIn(`.${serviceType}.local`, serviceType)).toBeNull();
  expect(instanceIn(full('\uFFFD'), serviceType)).toBeNull();
  expect(instanceIn(full('x'.repeat(64)), serviceType)).toBeNull();
});

it('names that the codec would write corrupt are never sent', () => {
  expect(isSendable('host.local')).toBe(true);
  const bad = ['x'.repeat(64), '', '.', 'a..b', 'a\n.b', '\uFFFD.local', 'ab.'.repeat(90) + 'c'];
  expect(bad.filter(isSendable)).toEqual([]);
});

it('an allowance is spent at once and grows back to its size', () => {
  const allowance = createAllowance(3, 20);
  const spend = (now: number): number => {
    let spent = 0;
    while (allowance.take(now)) spent += 1;
    return spent;
  };
  expect(spend(0)).toBe(3);
  expect(allowance.nextAt(0)).toBe(50);
  expect(spend(49)).toBe(0);
  expect(spend(50)).toBe(1);
  expect(spend(60_000)).toBe(3);
});

/** A browser and a publisher on a network of their own, and a speaker that may say anything. */
async function underFire(): Promise<{
  network: PrivateMulticast;
  browser: Watch<PeerFact>;
  publisher: Watch<AdvertiseFact>;
  say(bytes: Buffer): Promise<void>;
}> {
  const network = await privateMulticast();
  const browser = watchFacts(browse({ serviceType, ...network }));
  const publisher = watchFacts(
    publish({ serviceType, port: 4433, instance: 'honest', hostname: 'honest', ...network }),
  );
  onTestFinished(browser.stop);
  onTestFinished(publisher.stop);
  await browser.until('peer.found', ({ instance }) => instance === 'honest');
  const speaker = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise<void>((bound) => speaker.bind(network.multicastPort, '0.0.0.0', bound));
  speaker.setMulticastInterface('127.0.0.1');
  onTestFinished(() => void speaker.close());
  const say = (bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      speaker.send(bytes, network.multicastPort, '224.0.0.251', (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return { network, browser, publisher, say };
}

const needs =
  loopbackMulticastMissing === null ? '' : ` (skipped: needs ${loopbackMulticastMissing})`;

describe.skipIf(loopbackMulticastMissing !== null)(`hostile packets${needs}`, () => {
  it('no distorted packet stops browsing or publishing', async () => {
    const { network, browser, publisher, say } = await underFire();
    const distorted = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 12 }),
        fc.option(fc.nat(200), { nil: undefined }),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([seed, changes, length, tail]) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return Buffer.concat([bytes.subarray(0, length), tail]);
      });
    await fc.assert(
      fc.asyncProperty(distorted, async (bytes) => {
        await say(bytes);
        await new Promise(setImmediate);
      }),
      { numRuns: 2000 },
    );
    const newcomer = watchFacts(browse({ serviceType, ...network }));
    onTestFinished(newcomer.stop);
    await newcomer.until('peer.found', ({ instance }) => instance === 'honest');
    publisher.stop();
    await browser.until('peer.gone', ({ instance }) => instance === 'honest');
  });

  it('control characters, dots and bidi marks in a name arrive as data', async () => {
    const { browser, say } = await underFire();
    const instance = 'Dr. \u001B[2J\u202Eenohp';
    await say(announcement(instance));
    expect(await browser.until('peer.found', (fact) => fact.instance !== 'honest')).toEqual({
      type: 'peer.found',
      instance,
      endpoints: [{ address: '127.0.0.1', port: 0x11d1 }],
    });
  });

  it('a name that is no UTF-8, or a type unknown, is passed over', async () => {
    const { browser, say } = await underFire();
    await say(announcement(Buffer.alloc(63, 0xff)));
    await say(announcement('bad host', Buffer.alloc(63, 0xff)).subarray(0, -4));
    for (const seed of seeds.slice(3)) await say(seed);
    await say(announcement('valid'));
    await browser.until('peer.found', ({ instance }) => instance === 'valid');
    expect(browser.facts.map(({ instance }) => instance)).toEqual(['honest', 'valid']);
  });

  it('a flood of instances is reported bit by bit, and whole', async () => {
    const { browser, say } = await underFire();
    const names = Array.from({ length: 100 }, (_, index) => `flood-${index}`);
    for (const each of names) await say(announcement(each));
    await browser.until('peer.found', ({ instance }) => instance === 'flood-99');
    expect(browser.facts.map(({ instance }) => instance)).toEqual(['honest', ...names]);
  });

  it('what does not come from the multicast DNS port is no answer', async () => {
    const network = await privateMulticast();
    const browser = watchFacts(browse({ serviceType, ...network }));
    onTestFinished(browser.stop);
    const stranger = await boundSocket();
    onTestFinished(() => void stranger.close());
    function publishing(instance: string): Watch<AdvertiseFact> {
      const publisher = watchFacts(publish({ serviceType, port: 4433, instance, ...network }));
      onTestFinished(publisher.stop);
      return publisher;
    }
    await publishing('before').until('advertiser.published');
    await browser.until('peer.found', ({ instance }) => instance === 'before');
    stranger.send(announcement('forged'), network.multicastPort, '224.0.0.251');
    publishing('after');
    await browser.until('peer.found', ({ instance }) => instance === 'after');
    expect(browser.facts.map(({ instance }) => instance)).toEqual(['before', 'after']);
  });
});
