/** `npm run screens` writes pictures of every screen, light and dark, into `docs/screens`. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { startInspectedDemo } from '../support/inspected-demo.ts';
import { openPage } from '../support/inspector-story.ts';
import { takePhoneScreens } from './phone-screens.ts';

const folder = 'docs/screens';
const wide = { width: 1280, height: 800 };
const narrow = { width: 700, height: 900 };

async function choose(page: Page, flow: RegExp, event: string): Promise<void> {
  const option = page.locator('select.flows option', { hasText: flow }).first();
  await page.locator('select.flows').selectOption((await option.getAttribute('value')) ?? '');
  await page.locator(`.event-row[data-type="${event}"]`).first().click();
}

async function take(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // The charts scroll to the state, and lines are drawn anew.
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

async function screens(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'screens-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const browser = await openBrowser(directory);
  await takePhoneScreens(browser, folder);
  const demo = await startInspectedDemo(directory);
  try {
    const { page } = await openPage(browser, demo.address, wide);
    await demo.said('The page stays until Ctrl-C');
    await choose(page, /disconnected/, 'signer.presented');
    await take(page, 'inspector-awaiting-face-id');
    await choose(page, /disconnected/, 'user.approve');
    await page.locator('.phone .what-if summary').click();
    await page.locator('.phone .choice', { hasText: 'request.withdrawn' }).click();
    await take(page, 'inspector-what-if');
    await page.locator('.phone .what-if summary').click();
    await choose(page, /timedOut/, 'request.received');
    await page.keyboard.press('End');
    await take(page, 'inspector-timed-out');
    await page.setViewportSize(narrow);
    await choose(page, /disconnected/, 'signer.presented');
    await take(page, 'inspector-narrow-events');
    await page.getByRole('tab', { name: 'headset', exact: true }).click();
    await take(page, 'inspector-narrow-headset');
  } finally {
    await demo.stop();
    await browser.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (chromiumMissing === null) await screens();
else console.log(`skipped: ${chromiumMissing}`);
