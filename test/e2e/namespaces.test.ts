import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasTcpdump } from '../support/namespace-capture.ts';
import { names } from '../support/namespace-hosts.ts';
import {
  approve,
  expectFailure,
  expectLogin,
  happened,
  joinByNetwork,
  networkMissing,
  sheets,
  type Network,
} from '../support/namespace-story.ts';
import { PROMPT } from '../support/program-story.ts';

const NEW_PORT = 47_901;

describe.skipIf(networkMissing !== null)(
  `two hosts on one network${networkMissing === null ? '' : ` (skipped: needs ${networkMissing})`}`,
  { timeout: 60_000 },
  () => {
    let network: Network;

    beforeAll(async () => {
      network = await joinByNetwork();
    });
    afterEach(() => network.endSigner());
    afterAll(() => network?.dispose());

    it('they find each other by DNS-SD and pair', async () => {
      const paired = await network.pair(network.headset);
      expect(paired.headset).toMatchObject({ status: 0, stdout: `paired with ${names.phone}\n` });
      expect(paired.phone).toMatchObject({ status: 0, stdout: `paired with ${names.headset}\n` });
    });

    it('the phone is found by DNS-SD, and one approval is one login', async () => {
      const at = await network.wake();
      const run = network.connect();
      await at.expect(`From ${names.headset} → ${names.host}`);
      await at.expect(`user  ${names.user}`);
      await at.expect(`key   ${names.label}`);
      await approve(at);
      expectLogin(await run.ended);
      await at.expect('signed');
      expect(sheets(at)).toBe(1);
      expect(network.signatures()).toBe(1);
      expect(happened(network.headset, 'peer.found').length).toBeGreaterThan(0);
    });

    it('a denial is told at once, and nothing is signed', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect();
      await at.expect(PROMPT);
      at.type('d\n');
      expectFailure(await run.ended, 'denied');
      expect(sheets(at)).toBe(1);
      expect(network.signatures()).toBe(before);
    });

    it('a sheet that nobody answers times out, and is gone from the phone', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect('--timeout', '2');
      await at.expect('SSH Sign Request');
      expectFailure(await run.ended, 'notApproved');
      await at.expect(/(expired|withdrawn).*; nothing was signed/);
      expect(network.signatures()).toBe(before);
    });

    it('a phone that moved to another port is found by DNS-SD', async () => {
      const at = await network.wake(NEW_PORT);
      const run = network.connect();
      await approve(at);
      expectLogin(await run.ended);
    });

    describe('with multicast dropped', () => {
      beforeAll(() => network.hosts.right.dropMulticast());
      afterAll(() => network.hosts.right.allowMulticast());

      it('the phone is found at the address where it was met last', async () => {
        const found = happened(network.headset, 'peer.found').length;
        const at = await network.wake(NEW_PORT);
        const run = network.connect();
        await approve(at);
        expectLogin(await run.ended);
        expect(happened(network.headset, 'peer.found')).toHaveLength(found);
      });

      it('two devices meet for the first time at an address given by hand', async () => {
        const another = network.hosts.device('vmux', network.hosts.left);
        const paired = await network.pair(another, `${network.hosts.right.address}:PORT`);
        expect(paired.headset).toMatchObject({ status: 0, stdout: `paired with ${names.phone}\n` });
      });
    });

    it('a phone that sleeps is told as not found, and has no sheet when it wakes', async () => {
      const before = network.signatures();
      const at = await network.wake(NEW_PORT);
      at.kill('SIGSTOP');
      expectFailure(await network.connect().ended, 'peerNotFound');
      at.kill('SIGCONT');
      const run = network.connect();
      await approve(at);
      expectLogin(await run.ended);
      expect(sheets(at)).toBe(1);
      expect(network.signatures()).toBe(before + 1);
    });

    it.skipIf(!hasTcpdump)(
      `nothing on the wire names anybody${hasTcpdump ? '' : ' (skipped: no tcpdump)'}`,
      () => network.expectNobodyNamed(),
    );
  },
);
