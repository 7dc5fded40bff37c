import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { startInspectedDemo } from '../support/inspected-demo.ts';
import { expectState, openPage } from '../support/inspector-story.ts';

describe.skipIf(chromiumMissing !== null)(
  `the demo on the page${chromiumMissing === null ? '' : ` [skipped: ${chromiumMissing}]`}`,
  () => {
    it('shows both devices while it happens, stays until Ctrl-C, and leaves nothing', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'demo-page-'));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const browser = await openBrowser(directory);
      onTestFinished(() => browser.close());
      const demo = await startInspectedDemo(directory);
      const { page, complaints } = await openPage(browser, demo.address);
      await demo.said('The page stays until Ctrl-C');

      await expectState(page, 'headset', 'timedOut');
      const titles = await page.locator('select.flows option').allTextContents();
      const logins = titles.filter((title) => title.startsWith('log in at 127.0.0.1'));
      expect(logins.map((title) => title.split(' · ')[1])).toEqual([
        'timedOut',
        'denied',
        'disconnected',
      ]);
      const login = page.locator('select.flows option', { hasText: /log in .* disconnected/ });
      await page.locator('select.flows').selectOption((await login.getAttribute('value')) ?? '');
      await page.locator('.event-row[data-type="signer.presented"]').click();
      await expectState(page, 'headset', 'session › awaitingSigner › awaitingFaceId');
      await expectState(page, 'phone', 'awake › linked › reviewing › settling');
      expect(complaints).toEqual([]);

      expect(await demo.stop()).toBe(130);
      expect(readdirSync(directory).filter((name) => name.startsWith('vmux-demo-'))).toEqual([]);
    }, 60_000);
  },
);
