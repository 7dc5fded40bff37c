/** Pictures of the phone's page, as an iPhone has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { buildScreens, openScreens, serveScreens } from '../phone-page/built-screens.ts';
import { fingerprints, iPhone, scene, sheets, type Scene } from '../phone-page/scenes.ts';

const created = `#identities/${encodeURIComponent(`created:${Object.values(fingerprints)[0]}`)}`;

const pictures: [name: string, scene: Scene, hash?: string][] = [
  ['start', scene({ link: 'unpaired', state: null })],
  [
    'safari',
    scene({ link: 'unpaired', state: null, abilities: { ...iPhone, isStandalone: false } }),
  ],
  ['home', scene()],
  ['lost', scene({ link: 'lost' })],
  ['identities', scene(), '#identities'],
  ['new-identity', scene(), '#identities/new'],
  ['created', scene(), created],
  ['activity', scene(), '#activity'],
  ['devices', scene(), '#devices'],
  ['settings', scene(), '#settings'],
  ...Object.entries(sheets).map(([name, sheet]): [string, Scene] => [
    `sheet-${name.replaceAll(/\W+/g, '-')}`,
    scene({ sheet }),
  ]),
];

export async function takePhoneScreens(browser: Browser, folder: string): Promise<void> {
  const built = mkdtempSync(join(tmpdir(), 'phone-screens-'));
  await buildScreens(built);
  const { origin, close } = await serveScreens(built);
  try {
    for (const [name, shown, hash = ''] of pictures) {
      for (const dark of [false, true]) {
        const { page } = await openScreens(browser, origin, shown, { dark, hash });
        // A sheet rises to its place.
        await page.waitForTimeout(600);
        await page.screenshot({
          path: join(folder, `phone-${name}-${dark ? 'dark' : 'light'}.png`),
        });
        await page.context().close();
      }
    }
  } finally {
    close();
    rmSync(built, { recursive: true, force: true });
  }
}
