/** Pictures of the phone's page, as an iPhone has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { buildScreens, openScreens, serveScreens } from '../phone-page/built-screens.ts';
import { screens } from '../phone-page/screens.ts';

export async function takePhoneScreens(browser: Browser, folder: string): Promise<void> {
  const built = mkdtempSync(join(tmpdir(), 'phone-screens-'));
  await buildScreens(built);
  const { origin, close } = await serveScreens(built);
  try {
    for (const [name, { scene, hash = '', reach }] of Object.entries(screens)) {
      for (const dark of [false, true]) {
        const { page } = await openScreens(browser, origin, scene, { dark, hash });
        await reach?.(page);
        // A sheet rises to its place.
        await page.waitForTimeout(600);
        await page.screenshot({
          path: join(
            folder,
            `phone-${name.toLowerCase().replaceAll(/\W+/g, '-')}-${dark ? 'dark' : 'light'}.png`,
          ),
        });
        await page.context().close();
      }
    }
  } finally {
    close();
    rmSync(built, { recursive: true, force: true });
  }
}
