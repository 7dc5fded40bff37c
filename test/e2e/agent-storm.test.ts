import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSPHRASE, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { createBench } from '../support/program-driver.ts';
import { eventsOf } from '../support/program-logs.ts';
import { PROMPT } from '../support/program-story.ts';
import { hasSshd } from '../support/sshd.ts';

const LOGINS = 20;

describe.skipIf(!hasSshd)(
  `many logins through one agent${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    let desk: Desk;

    beforeAll(async () => {
      desk = await setUpDesk(bench, ['web'], { config: ['MaxStartups 100'] });
    });
    afterAll(async () => {
      await bench.clear();
      await desk?.stopServers();
    });

    it('twenty at once each get a sheet, one after the other, and all of them succeed', async () => {
      const before = desk.made();
      const words = Array.from({ length: LOGINS }, (_, i) => `login-${i}`);
      const logins = words.map(
        (word) => desk.start(['ssh', '-F', desk.config, 'web', 'echo', word]).ended,
      );
      for (const _ of words) {
        await desk.signer.expect(PROMPT, 60_000);
        desk.signer.type(`${PASSPHRASE}\n`);
      }
      const ends = await Promise.all(logins);
      expect(ends).toEqual(
        words.map((word) => ({ status: 0, signal: null, stdout: `${word}\n`, stderr: '' })),
      );
      const { sheets, signatures, logins: accepted } = before;
      expect(desk.made()).toEqual({
        sheets: sheets + LOGINS,
        signatures: signatures + LOGINS,
        logins: accepted + LOGINS,
      });

      // Never a second sheet before the first is answered.
      const events = eventsOf(desk.phone);
      const turns = events
        .map(({ type }) => type)
        .filter((type) => type === 'sheet.shown' || type === 'xstate.done.actor.keys');
      expect(turns).toEqual(
        Array.from({ length: LOGINS }, () => ['sheet.shown', 'xstate.done.actor.keys']).flat(),
      );
      // Whoever came while another waited was told so.
      let waiting = 0;
      let behind = 0;
      for (const { type } of events) {
        if (type === 'request.received') {
          if (waiting > 0) behind += 1;
          waiting += 1;
        } else if (type === 'xstate.done.actor.keys') waiting -= 1;
      }
      expect(behind).toBeGreaterThan(LOGINS / 2);
      const told = eventsOf(desk.headset).filter(({ type }) => type === 'signer.queued');
      expect(new Set(told.map(({ stream }) => stream)).size).toBe(behind);
      expect(told).toHaveLength(behind);
    }, 180_000);
  },
);
