import multicastDns from 'multicast-dns';
import { describe, expect, it, type TestContext } from 'vitest';
import { publish, type PublishOptions } from '../../adapters/discovery/publish.ts';
import {
  boundSocket,
  loopback,
  loopbackMulticastMissing,
  privateMulticast,
  type PrivateMulticast,
} from '../support/private-multicast.ts';
import { watchFacts } from '../support/watch-facts.ts';

const serviceType = '_vmux-page._tcp';
const hostname = 'signer-ab12';

function publishing(test: TestContext, options: Partial<PublishOptions>) {
  const watch = watchFacts(
    publish({ serviceType, port: 47_823, hostname, keepHostname: true, ...options }),
  );
  test.onTestFinished(watch.stop);
  return watch;
}

/** Addresses that one question gets, asked as a resolver that speaks plain DNS does. */
async function resolve(test: TestContext, { multicastPort }: PrivateMulticast, name: string) {
  const asker = multicastDns({ socket: await boundSocket(), port: 0, multicast: false });
  test.onTestFinished(() => asker.destroy());
  const answered = new Promise<string[]>((found) => {
    asker.on('response', ({ answers }) =>
      found((answers ?? []).flatMap((answer) => (answer.type === 'A' ? [answer.data] : []))),
    );
    setTimeout(() => found([]), 1_000);
  });
  asker.query(
    { questions: [{ name, type: 'A' }] },
    { address: '224.0.0.251', port: multicastPort },
  );
  return answered;
}

const needs =
  loopbackMulticastMissing === null ? '' : ` (skipped: needs ${loopbackMulticastMissing})`;

describe.skipIf(loopbackMulticastMissing !== null)(`a host name of its own${needs}`, () => {
  const own = loopback().flatMap(({ ipv4 }) => ipv4.map(({ address }) => address));

  it.concurrent('a question for its address is answered', async (test) => {
    const network = await privateMulticast();
    await publishing(test, network).until('advertiser.published');
    expect(await resolve(test, network, `${hostname}.local`)).toEqual(own);
    expect(await resolve(test, network, `${hostname.toUpperCase()}.local`)).toEqual(own);
  });

  it.concurrent('a question for another one is not', async (test) => {
    const network = await privateMulticast();
    await publishing(test, network).until('advertiser.published');
    expect(await resolve(test, network, 'signer-ab13.local')).toEqual([]);
    expect(await resolve(test, network, `sub.${hostname}.local`)).toEqual([]);
  });

  it.concurrent(
    'a name that another machine has is waited for, and never changed',
    async (test) => {
      const network = await privateMulticast();
      // Another machine, as it is heard here: it has an address that is not of ours.
      const elsewhere = { address: '127.9.9.9', netmask: '255.0.0.0' };
      const interfaces = () =>
        loopback().map((each) => ({ ...each, ipv4: [...each.ipv4, elsewhere] }));
      const other = publishing(test, { ...network, interfaces });
      await other.until('advertiser.published');
      const publisher = publishing(test, network);
      expect(await publisher.until('advertiser.unavailable')).toEqual({
        type: 'advertiser.unavailable',
        detail: `${hostname}.local is taken`,
      });
      expect(await resolve(test, network, `${hostname}-2.local`)).toEqual([]);
      other.stop();
      await publisher.until('advertiser.published');
      expect(await resolve(test, network, `${hostname}.local`)).toEqual(own);
      expect(publisher.facts.map(({ type }) => type)).toEqual([
        'advertiser.unavailable',
        'advertiser.published',
      ]);
    },
  );
});
