import dgram from 'node:dgram';
import { once } from 'node:events';
import multicastDns from 'multicast-dns';
import { describe, expect, it, type TestContext } from 'vitest';
import { browse, type BrowseOptions } from '../../adapters/discovery/browse.ts';
import type { NetworkInterface } from '../../adapters/discovery/interfaces.ts';
import { randomInstance } from '../../adapters/discovery/names.ts';
import { publish, type PublishOptions } from '../../adapters/discovery/publish.ts';
import type { PeerFact } from '../../machines/headset/ports.ts';
import type { AdvertiseFact } from '../../machines/phone/ports.ts';
import {
  boundSocket,
  loopback,
  loopbackMulticastMissing,
  privateMulticast,
} from '../support/private-multicast.ts';
import { watchFacts, type Watch } from '../support/watch-facts.ts';

const serviceType = '_vmux-signer._tcp';

function browsing(test: TestContext, options: Partial<BrowseOptions>): Watch<PeerFact> {
  const watch = watchFacts(browse({ serviceType, ...options }));
  test.onTestFinished(watch.stop);
  return watch;
}

function publishing(test: TestContext, options: Partial<PublishOptions>): Watch<AdvertiseFact> {
  const watch = watchFacts(publish({ serviceType, port: 4433, ...options }));
  test.onTestFinished(watch.stop);
  return watch;
}

const needs =
  loopbackMulticastMissing === null ? '' : ` (skipped: needs ${loopbackMulticastMissing})`;

describe.skipIf(loopbackMulticastMissing !== null)(`discovery on loopback${needs}`, () => {
  it.concurrent(
    'an instance that is published is found with its address and port',
    async (test) => {
      const network = await privateMulticast();
      const browser = browsing(test, network);
      const published = await publishing(test, { ...network, instance: 'phone-a' }).until(
        'advertiser.published',
      );
      expect(published).toEqual({ type: 'advertiser.published', instance: 'phone-a' });
      expect(await browser.until('peer.found')).toEqual({
        type: 'peer.found',
        instance: 'phone-a',
        endpoints: [{ address: '127.0.0.1', port: 4433 }],
      });
    },
  );

  it.concurrent('an instance that was published before anyone browsed is found', async (test) => {
    const network = await privateMulticast();
    await publishing(test, { ...network, instance: 'phone-a' }).until('advertiser.published');
    expect((await browsing(test, network).until('peer.found')).instance).toBe('phone-a');
  });

  it.concurrent('an instance that says goodbye is gone', async (test) => {
    const network = await privateMulticast();
    const browser = browsing(test, network);
    const publisher = publishing(test, { ...network, instance: 'phone-a' });
    await browser.until('peer.found');
    publisher.stop();
    await browser.until('peer.gone');
    expect(browser.facts.map(({ type, instance }) => [type, instance])).toEqual([
      ['peer.found', 'phone-a'],
      ['peer.gone', 'phone-a'],
    ]);
  });

  it.concurrent('instances of another service type are not found', async (test) => {
    const network = await privateMulticast();
    const browser = browsing(test, network);
    await publishing(test, {
      ...network,
      serviceType: '_vmux-pair._tcp',
      instance: 'pairing',
    }).until('advertiser.published');
    await publishing(test, { ...network, instance: 'signer' }).until('advertiser.published');
    await browser.until('peer.found');
    expect(browser.facts.map(({ instance }) => instance)).toEqual(['signer']);
  });

  it.concurrent(
    'a name that is taken is left to its owner, and the other is published renamed',
    async (test) => {
      const network = await privateMulticast();
      const first = publishing(test, {
        ...network,
        instance: 'phone',
        hostname: 'host-a',
        port: 1111,
      });
      await first.until('advertiser.published');
      const second = publishing(test, {
        ...network,
        instance: 'phone',
        hostname: 'host-b',
        port: 2222,
      });
      expect(await second.until('advertiser.published')).toEqual({
        type: 'advertiser.published',
        instance: 'phone-2',
      });
      const browser = browsing(test, network);
      const owner = await browser.until('peer.found', ({ instance }) => instance === 'phone');
      expect(owner.endpoints).toEqual([{ address: '127.0.0.1', port: 1111 }]);
      const other = await browser.until('peer.found', ({ instance }) => instance === 'phone-2');
      expect(other.endpoints).toEqual([{ address: '127.0.0.1', port: 2222 }]);
      expect(first.facts).toEqual([{ type: 'advertiser.published', instance: 'phone' }]);
    },
  );

  it.concurrent(
    'two that probe for one name at the same time end with a name each',
    async (test) => {
      const network = await privateMulticast();
      const publishers = [1111, 2222].map((port) =>
        publishing(test, { ...network, instance: 'phone', hostname: `host-${port}`, port }),
      );
      const browser = browsing(test, network);
      await browser.until('peer.found', ({ instance }) => instance === 'phone');
      await browser.until('peer.found', ({ instance }) => instance === 'phone-2');
      const names = publishers.map(({ facts }) => facts.at(-1));
      expect(names).toEqual([
        { type: 'advertiser.published', instance: 'phone-2' },
        { type: 'advertiser.published', instance: 'phone' },
      ]);
    },
  );

  it.concurrent(
    'without any interface nothing is published, and it is once one appears',
    async (test) => {
      const network = await privateMulticast();
      let present: NetworkInterface[] = [];
      const publisher = publishing(test, {
        ...network,
        instance: 'phone-a',
        interfaces: () => present,
      });
      expect(publisher.facts).toEqual([
        { type: 'advertiser.unavailable', detail: 'no network interface' },
      ]);
      present = loopback();
      expect(await publisher.until('advertiser.published')).toEqual({
        type: 'advertiser.published',
        instance: 'phone-a',
      });
    },
  );

  it.concurrent(
    'a port that another program keeps for itself makes publishing unavailable',
    async (test) => {
      const owner = dgram.createSocket('udp4').bind(0, '0.0.0.0');
      await once(owner, 'listening');
      test.onTestFinished(() => void owner.close());
      const { port } = owner.address();
      const publisher = publishing(test, { multicastPort: port, interfaces: loopback });
      expect(await publisher.until('advertiser.unavailable')).toEqual({
        type: 'advertiser.unavailable',
        detail: `bind EADDRINUSE 0.0.0.0:${port}`,
      });
    },
  );

  it.concurrent(
    'an interface that goes takes its instances along, and brings them back',
    async (test) => {
      const network = await privateMulticast();
      await publishing(test, { ...network, instance: 'phone-a' }).until('advertiser.published');
      let present = loopback();
      const browser = browsing(test, { ...network, interfaces: () => present });
      await browser.until('peer.found');
      present = [];
      await browser.until('peer.gone');
      present = loopback();
      await browser.until('peer.found', () => browser.facts.length > 2);
      expect(browser.facts.map(({ type }) => type)).toEqual([
        'peer.found',
        'peer.gone',
        'peer.found',
      ]);
    },
  );

  it.concurrent(
    'a plain DNS query from another port is answered to that port alone',
    async (test) => {
      const network = await privateMulticast();
      await publishing(test, { ...network, instance: 'phone-a', hostname: 'host-a' }).until(
        'advertiser.published',
      );
      const asker = multicastDns({ socket: await boundSocket(), port: 0, multicast: false });
      test.onTestFinished(() => asker.destroy());
      const answered = once(asker, 'response');
      const questions = [{ name: `${serviceType}.local`, type: 'PTR' as const }];
      asker.query({ id: 4711, questions }, { address: '224.0.0.251', port: network.multicastPort });
      const [response] = (await answered) as [multicastDns.FullPacket];
      expect(response).toMatchObject({
        id: 4711,
        questions,
        answers: [{ type: 'PTR', ttl: 10, flush: false, data: `phone-a.${serviceType}.local` }],
      });
    },
  );
});

it('names are random for each start', () => {
  const names = [randomInstance(), randomInstance()];
  expect(names[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(names[1]).not.toBe(names[0]);
});

it('what cannot be published is refused', () => {
  const valid = { serviceType, port: 4433 };
  expect(() => publish({ ...valid, instance: 'a.b' })).toThrow(RangeError);
  expect(() => publish({ ...valid, instance: 'a'.repeat(64) })).toThrow(RangeError);
  expect(() => publish({ ...valid, hostname: '' })).toThrow(RangeError);
  expect(() => publish({ ...valid, port: 0 })).toThrow(RangeError);
  expect(() => publish({ ...valid, txt: { key: 'x'.repeat(252) } })).toThrow(RangeError);
  expect(() => publish({ ...valid, serviceType: 'vmux' })).toThrow(RangeError);
  expect(() => browse({ serviceType: '_a..b._tcp' })).toThrow(RangeError);
});
