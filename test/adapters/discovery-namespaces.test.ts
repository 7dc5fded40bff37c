import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PeerFact } from '../../machines/headset/ports.ts';
import type { AdvertiseFact } from '../../machines/phone/ports.ts';
import {
  makeNamespacePair,
  namespacesMissing,
  type Namespace,
  type NamespacePair,
} from '../support/namespaces.ts';
import { exitStatus, factsOfProgram, watchFacts, type Watch } from '../support/watch-facts.ts';

const serviceType = '_vmux-signer._tcp';
const program = fileURLToPath(new URL('../support/discovery-program.ts', import.meta.url));
const needs = namespacesMissing === null ? '' : ` (skipped: needs ${namespacesMissing})`;

type Running<Fact> = Watch<Fact> & { process: ChildProcess };

function run<Fact extends { type: string }>(host: Namespace, ...args: string[]): Running<Fact> {
  const child = host.spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { process: child, ...watchFacts(factsOfProgram<Fact>(child)) };
}
const browseOn = (host: Namespace): Running<PeerFact> => run(host, 'browse', serviceType);
const publishOn = (host: Namespace, instance: string): Running<AdvertiseFact> =>
  run(host, 'publish', serviceType, '4433', instance);

describe.skipIf(namespacesMissing !== null)(`discovery between two hosts${needs}`, () => {
  let pair: NamespacePair;
  beforeEach(() => {
    pair = makeNamespacePair();
  });
  afterEach(() => pair.dispose());

  it('a phone is found at its IPv4 address and then its IPv6 link-local address', async () => {
    const browser = browseOn(pair.left);
    publishOn(pair.right, 'phone-a');
    const { endpoints } = await browser.until('peer.found', (fact) => fact.endpoints.length === 2);
    expect(endpoints).toEqual([
      { address: pair.right.address, port: 4433 },
      { address: expect.stringMatching(/^fe80::[0-9a-f:]+%veth-l$/), port: 4433 },
    ]);
  });

  it('two programs on one host find each other, on the network and on loopback', async () => {
    const browser = browseOn(pair.left);
    publishOn(pair.left, 'phone-a');
    const { endpoints } = await browser.until('peer.found', (fact) => fact.endpoints.length === 3);
    expect(endpoints.map(({ address }) => address).toSorted()).toEqual([
      pair.left.address,
      '127.0.0.1',
      expect.stringMatching(/^fe80::[0-9a-f:]+%veth-l$/),
    ]);
  });

  it('a phone that leaves is gone, and both programs end by themselves', async () => {
    const browser = browseOn(pair.left);
    const publisher = publishOn(pair.right, 'phone-a');
    await browser.until('peer.found');
    publisher.stop();
    expect(await browser.until('peer.gone')).toMatchObject({ instance: 'phone-a' });
    expect(await exitStatus(publisher.process)).toBe(0);
    browser.process.kill('SIGTERM');
    expect(await exitStatus(browser.process)).toBe(0);
  });

  it('a phone is found again when the network comes back as a new interface', async () => {
    const browser = browseOn(pair.left);
    publishOn(pair.right, 'phone-a');
    await browser.until('peer.found');
    pair.unplug();
    await browser.until('peer.gone');
    pair.plug();
    const seen = browser.facts.length;
    await browser.until('peer.found', (fact) => browser.facts.indexOf(fact) >= seen);
  });

  it('an interface that is replaced between two looks at it is noticed', async () => {
    const browser = browseOn(pair.left);
    publishOn(pair.right, 'phone-a');
    await browser.until('peer.found');
    pair.unplug();
    pair.plug();
    publishOn(pair.right, 'phone-b');
    await browser.until('peer.found', ({ instance }) => instance === 'phone-b');
  });

  it('with multicast dropped nothing is found, nothing crashes, and the phone says so', async () => {
    pair.right.dropMulticast();
    const browser = browseOn(pair.left);
    const publisher = publishOn(pair.right, 'phone-a');
    const { detail } = await publisher.until('advertiser.unavailable');
    expect(detail).toBe('send EPERM 224.0.0.251:5353');
    await sleep(1500);
    expect(browser.facts).toEqual([]);
    pair.right.allowMulticast();
    await publisher.until('advertiser.published');
    expect(await browser.until('peer.found')).toMatchObject({ instance: 'phone-a' });
    browser.process.kill('SIGTERM');
    publisher.process.kill('SIGTERM');
    expect(await exitStatus(browser.process)).toBe(0);
    expect(await exitStatus(publisher.process)).toBe(0);
  });
});
