import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasTcpdump } from '../support/namespace-capture.ts';
import {
  approve,
  expectFailure,
  expectLogin,
  happened,
  joinByNetwork,
  networkMissing,
  PASSPHRASE,
  sheets,
  type Network,
} from '../support/namespace-story.ts';
import { PROMPT } from '../support/program-story.ts';

describe.skipIf(networkMissing !== null)(
  `a phone that stops, and a network that goes away${networkMissing === null ? '' : ` (skipped: needs ${networkMissing})`}`,
  { timeout: 60_000 },
  () => {
    let network: Network;

    beforeAll(async () => {
      network = await joinByNetwork();
      await network.pair(network.headset, `${network.hosts.right.address}:PORT`);
    });
    afterEach(() => network.endSigner());
    afterAll(() => network?.dispose());

    it('a phone that is stopped with the sheet on screen signs nothing when it wakes', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect('--timeout', '6');
      await at.expect(PROMPT);
      at.kill('SIGSTOP');
      at.type(`${PASSPHRASE}\n`);
      expectFailure(await run.ended, 'linkLost');
      at.kill('SIGCONT');
      await at.expect('withdrawn; nothing was signed');
      await sleep(1_000);
      expect(network.signatures()).toBe(before);
      expect(at.unread()).not.toMatch(/verifying|SSH Sign Request/);

      const again = network.connect();
      await approve(at);
      expectLogin(await again.ended);
      expect(network.signatures()).toBe(before + 1);
    });

    it('a phone that is stopped for a moment past the headset’s clock signs nothing either', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect('--timeout', '4');
      await at.expect(PROMPT);
      await sleep(2_000);
      at.kill('SIGSTOP');
      at.type(`${PASSPHRASE}\n`);
      expectFailure(await run.ended, 'notApproved');
      at.kill('SIGCONT');
      await at.expect(/(expired|withdrawn).*; nothing was signed/);
      await sleep(1_000);
      expect(network.signatures()).toBe(before);
    });

    it('a phone that is stopped while it verifies signs nothing when it wakes', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect('--timeout', '6');
      await approve(at);
      await at.expect('verifying…');
      at.kill('SIGSTOP');
      expectFailure(await run.ended, 'linkLost');
      at.kill('SIGCONT');
      await at.expect('nothing was signed');
      await sleep(1_000);
      expect(network.signatures()).toBe(before);
    });

    it('a phone that slept and woke within the clock is asked again, and logs in', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect('--timeout', '20');
      await at.expect(PROMPT);
      at.kill('SIGSTOP');
      await sleep(2_500);
      at.kill('SIGCONT');
      await at.expect('withdrawn; nothing was signed');
      await approve(at);
      expectLogin(await run.ended);
      expect(sheets(at)).toBe(2);
      expect(network.signatures()).toBe(before + 1);
    });

    it('a network that is gone for a moment is not noticed', async () => {
      const before = network.signatures();
      const at = await network.wake();
      const run = network.connect();
      await at.expect(PROMPT);
      network.hosts.right.cut();
      await sleep(1_200);
      network.hosts.right.mend();
      at.type(`${PASSPHRASE}\n`);
      expectLogin(await run.ended);
      expect(sheets(at)).toBe(1);
      expect(network.signatures()).toBe(before + 1);
    });

    it.each([
      ['drops everything until the link is dead', 'cut', 'mend'],
      ['is unplugged until the link is dead', 'unplug', 'plug'],
    ] as const)(
      'a network that %s: the request comes again under its id, one approval is one login',
      async (_how, down, up) => {
        const before = network.signatures();
        const asked = happened(network.phone, 'request.received').length;
        const at = await network.wake();
        const run = network.connect('--timeout', '20');
        await at.expect(PROMPT);
        if (down === 'cut') network.hosts.right.cut();
        else network.hosts.unplug();
        await at.expect('withdrawn; nothing was signed');
        if (up === 'mend') network.hosts.right.mend();
        else network.hosts.plug();
        await approve(at);
        expectLogin(await run.ended);
        expect(sheets(at)).toBe(2);
        const refs = happened(network.phone, 'request.received').slice(asked);
        expect(new Set(refs.map(({ data }) => (data as { ref: string }).ref)).size).toBe(1);
        expect(network.signatures()).toBe(before + 1);
      },
    );

    it.skipIf(!hasTcpdump)(
      `nothing on the wire names anybody${hasTcpdump ? '' : ' (skipped: no tcpdump)'}`,
      () => network.expectNobodyNamed(),
    );
  },
);
