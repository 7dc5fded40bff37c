import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { violations } from '../support/inspector-story.ts';
import {
  buildScreens,
  openScreens,
  serveScreens,
  type OpenScreens,
  type ServedScreens,
} from './built-screens.ts';
import { empty, identityHash, screens, unpaired } from './screens.ts';
import {
  desktop,
  fingerprints,
  identities,
  iPhone,
  NOW,
  scene,
  state,
  type Scene,
} from './scenes.ts';

const decode = createRequire(import.meta.url)('uqr') as { encode: unknown };

const policySet = (change: object) => ['ask', { do: 'policy.set', policy: change }];

describe.skipIf(chromiumMissing !== null)(
  `the phone's page in a browser${chromiumMissing === null ? '' : ` [skipped: ${chromiumMissing}]`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'phone-screens-'));
    const folder = join(directory, 'page');
    let browser: Browser;
    let web: ServedScreens;
    /** For all that is only looked at. */
    let looked: OpenScreens;
    beforeAll(async () => {
      await buildScreens(folder);
      web = await serveScreens(folder);
      browser = await openBrowser(directory);
      looked = await openScreens(browser, web.origin, scene());
      await looked.page.emulateMedia({ reducedMotion: 'reduce' });
    });
    afterAll(async () => {
      await browser?.close();
      web?.close();
      rmSync(directory, { recursive: true });
    });

    async function opened(first: Scene, hash = '') {
      const open = await openScreens(browser, web.origin, first, { hash });
      onTestFinished(async () => {
        expect(open.complaints).toEqual([]);
        await open.page.context().close();
      });
      return open;
    }

    it.each(Object.entries(screens))(
      'has nothing against it for axe, and no overflow at any width: %s',
      async (_name, { scene: first, hash = '#home', reach }) => {
        const { page, show, complaints } = looked;
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await show(first);
        await reach?.(page);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await show(first);
          await page.evaluate(settled);
          expect(await violations(page)).toEqual([]);
        }
        for (const width of [320, 390, 768, 1024]) {
          await page.setViewportSize({ width, height: 720 });
          await expect.poll(() => page.evaluate('innerWidth')).toBe(width);
          await page.evaluate(settled);
          expect(
            await page.evaluate<string[]>(`
              [document.scrollingElement, ...document.querySelectorAll('dialog, .sheet-scroll')]
                .filter((one) => one.scrollWidth > one.clientWidth)
                .map((one) => one.className || one.tagName)
            `),
          ).toEqual([]);
          expect(await page.evaluate<string[]>(small)).toEqual([]);
        }
        expect(complaints).toEqual([]);
      },
    );

    it('loads one script of at most 40 kB, and nothing of it inline', () => {
      const html = readFileSync(join(folder, 'index.html'), 'utf8');
      expect(html.match(/<script[^>]*>/g)).toEqual([
        expect.stringMatching(
          /^<script type="module" crossorigin src="\/assets\/main-[\w-]+\.js">$/,
        ),
      ]);
      expect(html).not.toMatch(/<style| style=| on\w+=|modulepreload/);
      const scripts = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
      const bytes = scripts.map(
        (name) => gzipSync(readFileSync(join(folder, 'assets', name))).length,
      );
      expect(bytes.length).toBe(2);
      expect(bytes.reduce((sum, next) => sum + next, 0)).toBeLessThan(40_000);
    });

    it('sends who opens it in Safari to the Home Screen first, and lets them pair anyway', async () => {
      const abilities = { ...iPhone, isStandalone: false };
      const { page } = await opened(unpaired({ abilities }), '?from=a-link#identities/new');
      const steps = page.getByRole('region', { name: 'First, add it to the Home Screen' });
      expect(await steps.getByRole('listitem').allTextContents()).toEqual([
        'Tap Share  in Safari',
        'Choose Add to Home Screen, then Add',
        'Open Remote Signer from the Home Screen',
        'Type the code there that signer shows in its terminal',
      ]);
      expect(await page.getByRole('textbox').count()).toBe(0);
      await page.getByRole('button', { name: 'Pair this browser anyway' }).click();
      expect(await page.getByRole('textbox', { name: 'Pairing code' }).isVisible()).toBe(true);
    });

    it('forgives how a code is typed, and says why pairing did not work', async () => {
      const { page, calls, set } = await opened(unpaired({ abilities: desktop }));
      const code = page.getByRole('textbox', { name: 'Pairing code' });
      const pair = page.getByRole('button', { name: 'Pair', exact: true });
      await code.fill('ab0');
      expect(await pair.isDisabled()).toBe(true);
      await code.fill(' oil4-abcd ');
      await code.blur();
      expect(await code.inputValue()).toBe('0114-ABCD');
      expect(await page.getByRole('textbox', { name: 'Name of this browser' }).inputValue()).toBe(
        'Chrome on Linux',
      );
      for (const [outcome, words] of [
        ['wrongCode', 'That is not the code. Look at the terminal again.'],
        ['noInvitation', /^No code is open now/],
        ['tooManyTries', /^Too many wrong codes/],
        ['unreachable', /^signer cannot be reached/],
      ] as const) {
        await set({ pair: outcome });
        await pair.click();
        await expect.poll(() => page.getByRole('alert').textContent()).toMatch(words);
      }
      expect((await calls())[0]).toEqual(['pair', '0114ABCD', 'Chrome on Linux']);
    });

    it('goes by its tabs, with the focus on the title, and by keys and the way back', async () => {
      const { page } = await opened(scene());
      const heading = page.getByRole('heading', { level: 1 });
      const names = ['Identities', 'Activity', 'Devices', 'Settings'];
      for (const name of names) {
        await page.getByRole('link', { name, exact: true }).last().focus();
        await page.keyboard.press('Enter');
        await expect.poll(() => heading.textContent()).toBe(name);
        expect(await heading.evaluate((title) => title.matches(':focus'))).toBe(true);
        expect(await page.title()).toBe(`${name} · Remote Signer`);
      }
      await page.goBack();
      await expect.poll(() => heading.textContent()).toBe('Devices');
      expect(
        await page
          .getByRole('navigation')
          .getByRole('link', { name: 'Devices' })
          .getAttribute('aria-current'),
      ).toBe('page');
    });

    it('says how things stand', async () => {
      const { page, show } = await opened(scene());
      const words = async (next: Scene) => {
        await show(next);
        return page.locator('.status').textContent();
      };
      expect(await words(scene())).toMatch(/^Ready to signVision Pro is linked\./);
      expect(await words(scene({ link: 'lost' }))).toMatch(/^Connection lost/);
      expect(await words(scene({ link: 'starting', state: null }))).toMatch(/^Connecting…/);
      expect(await words(scene({ state: state({ isPublished: false }) }))).toMatch(
        /^Not published/,
      );
      expect(await words(scene({ state: state({ devices: [] }) }))).toMatch(/^No headset yet/);
      expect(await words(scene({ state: empty }))).toMatch(/^No identity yet/);
    });

    it('makes a passkey by one tap and a sealed key by two, and shows the line', async () => {
      const { page, calls, set } = await opened(scene(), '#identities/new');
      const name = page.getByRole('textbox', { name: 'Name' });
      const create = page.getByRole('button', { name: 'Create' });
      await page.getByRole('radio', { name: 'Passkey' }).check();
      await name.fill('  work ');
      await set({ create: { ok: false, why: 'cancelled', sentence: null } });
      await create.click();
      await expect
        .poll(() => page.getByRole('alert').textContent())
        .toBe('It was cancelled, or you were not verified. Nothing was made.');
      await page.getByRole('radio', { name: 'Sealed key' }).check();
      await set({ create: 'continue' });
      await create.click();
      await page.getByRole('button', { name: 'Seal the key' }).click();
      await expect
        .poll(() => page.getByRole('heading', { level: 1 }).textContent())
        .toBe('Identity created');
      expect(await calls()).toEqual([
        ['createPasskey', 'work'],
        ['beginSealedKey', 'work'],
        ['seal'],
        // Which does nothing any more.
        ['giveUp'],
      ]);
      const line = page.getByRole('textbox', { name: 'Line' });
      expect(await line.textContent()).toBe(identities[0]?.line);
    });

    it('keeps the second step when it is cancelled, until it is given up', async () => {
      const { page, calls, set } = await opened(scene(), '#identities/new');
      await page.getByRole('radio', { name: 'Sealed key' }).check();
      const cancelled = { ok: false, why: 'cancelled', sentence: null } as const;
      await set({ create: 'continue', seal: cancelled, forgets: false });
      await page.getByRole('button', { name: 'Create' }).click();
      const giveUp = page.getByRole('button', { name: 'Give up' });
      expect(await giveUp.count()).toBe(0);
      await page.getByRole('button', { name: 'Seal the key' }).click();
      await expect
        .poll(() => page.getByRole('alert').textContent())
        .toContain('The passkey is made, the key is not.');
      await giveUp.click();
      await page.getByRole('button', { name: 'Create' }).waitFor();
      await expect
        .poll(() => page.getByRole('alert').textContent())
        .toBe('The passkey “iPhone” is in your passwords. Remove it there.');
      expect((await calls()).map(([name]) => name)).toContain('giveUp');
      expect((await calls()).map(([name]) => name).slice(0, 2)).toEqual(['beginSealedKey', 'seal']);
    });

    it('does not offer to seal where there is no PRF, and says what localhost is', async () => {
      const { scene: first, hash } = screens['new identity, on localhost']!;
      const { page } = await opened(first, hash);
      expect(await page.getByRole('radio', { name: 'Sealed key' }).isDisabled()).toBe(true);
      expect(await page.getByRole('main').textContent()).toContain('no PRF');
      expect(await page.getByRole('main').textContent()).toContain('This page is on localhost');
    });

    it('says where each key is, and calls none hardware-bound that is not', async () => {
      const { page, show } = await opened(scene(), identityHash(fingerprints.sealed));
      const words = async (change: object) => {
        const changed = identities.map((each) => ({ ...each, ...change }));
        await show(scene({ state: state({ identities: changed }) }));
        return (await page.locator('.row.place').textContent()) ?? '';
      };
      expect(await words({})).toMatch(/^Sealed in this browser.*copied to your other devices/);
      expect(await words({ isPasskeySynced: false })).toMatch(/cannot leave the device/);
      expect(await words({ place: 'syncedPasskey' })).toMatch(/^Synced passkey.*iCloud Keychain/);
      expect(await words({ place: 'boundPasskey' })).toMatch(/^Hardware-bound passkey/);
      expect(await words({ place: 'securityKey' })).toMatch(/^Security key/);
      expect(await words({ place: 'sealedAtSigner' })).toMatch(/^Sealed where signer runs/);
      for (const place of ['syncedPasskey', 'sealedInBrowser', 'sealedAtSigner']) {
        expect(await words({ place })).not.toContain('ardware');
      }
    });

    it('enables, renames and removes an identity, and says what is refused', async () => {
      const fingerprint = fingerprints.passkey;
      const { page, calls, set } = await opened(scene(), identityHash(fingerprint));
      await page.getByRole('switch', { name: /^Enabled/ }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('prod');
      await page.getByRole('button', { name: 'Save' }).click();
      await set({ refusal: 'signer is busy. Try again.' });
      await page.getByRole('button', { name: 'Remove identity…' }).click();
      const question = page.getByRole('alertdialog', { name: 'Remove production?' });
      expect(await question.textContent()).toContain('authorized_keys on every server');
      expect(await question.textContent()).toContain('Passwords app');
      const cancel = question.getByRole('button', { name: 'Cancel' });
      expect(await cancel.evaluate((button) => button.matches(':focus'))).toBe(true);
      await question.getByRole('button', { name: 'Remove' }).click();
      await expect
        .poll(() => question.getByRole('alert').textContent())
        .toBe('signer is busy. Try again.');
      await set({ refusal: null });
      await question.getByRole('button', { name: 'Remove' }).click();
      await expect
        .poll(() => page.getByRole('heading', { level: 1 }).textContent())
        .toBe('Identities');
      expect(await calls()).toEqual([
        ['ask', { do: 'identity.disable', fingerprint }],
        ['ask', { do: 'identity.rename', fingerprint, label: 'prod' }],
        ['removeIdentity', fingerprint],
        ['removeIdentity', fingerprint],
      ]);
    });

    it('copies the line and draws its code when asked', async () => {
      const { page } = await opened(scene(), identityHash(fingerprints.sealed));
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy' }).click();
      await expect.poll(() => page.getByRole('button', { name: 'Copied' }).count()).toBe(1);
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(identities[0]?.line);
      await page.getByRole('button', { name: 'Show QR code' }).click();
      const code = page.getByRole('img', { name: 'QR code of the public key' });
      await expect.poll(() => code.count()).toBe(1);
      const [path, size] = [
        await code.locator('path').getAttribute('d'),
        (await code.getAttribute('viewBox'))?.split(' ')[2],
      ];
      expect({ size: Number(size), path }).toEqual(expectedCode(identities[0]?.line ?? ''));
    });

    it('renames, mutes and removes headsets, and unpairs browsers', async () => {
      const { page, calls } = await opened(scene(), '#devices/vision');
      await page.clock.setFixedTime(new Date(NOW));
      await page.getByRole('button', { name: 'For 10 minutes' }).click();
      await page.getByRole('button', { name: 'For 1 hour' }).click();
      await page.getByRole('button', { name: 'Until tomorrow' }).click();
      await page.getByRole('link', { name: 'Devices' }).first().click();
      await page.getByRole('link', { name: /ThinkPad/ }).click();
      await page.getByRole('button', { name: 'Unmute' }).click();
      await page.getByRole('button', { name: 'Remove headset…' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
      await page.getByRole('button', { name: 'Unpair iPhone' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Unpair' }).click();
      await expect
        .poll(calls)
        .toEqual([
          ['ask', { do: 'device.mute', id: 'vision', minutes: 10 }],
          ['ask', { do: 'device.mute', id: 'vision', minutes: 60 }],
          ['ask', { do: 'device.mute', id: 'vision', minutes: 570 }],
          ['ask', { do: 'device.mute', id: 'thinkpad', minutes: 0 }],
          ['ask', { do: 'device.remove', id: 'thinkpad' }],
          ['ask', { do: 'browser.remove', id: 'this' }],
          ['forget'],
        ]);
    });

    it('sets policies, forgets hosts, and turns push on only in plain words', async () => {
      const { push } = state();
      const off = state({ push: { ...push, isOn: false } });
      const { page, calls, set, show } = await opened(scene({ state: off }), '#settings');
      await page.getByRole('switch', { name: 'Require a proven destination' }).click();
      await page.getByRole('combobox', { name: 'Time to answer' }).selectOption('30');
      await page.getByRole('combobox', { name: 'Agent forwarding' }).selectOption('never');
      await page.getByRole('textbox', { name: 'Add' }).fill('build-7');
      await page.getByRole('button', { name: 'Add' }).click();
      await page.getByRole('button', { name: 'Remove bastion' }).click();
      await page.getByRole('button', { name: /^Forget db/ }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Forget' }).click();
      const notify = page.getByRole('switch', { name: 'Notify me of requests' });
      expect(await page.getByRole('region', { name: 'Notifications' }).textContent()).toContain(
        'goes through the servers of Apple or Google',
      );
      await set({ push: 'denied' });
      await notify.click();
      await expect
        .poll(() => page.getByRole('alert').allTextContents())
        .toContainEqual(expect.stringMatching(/^Notifications are not allowed for this page/));
      await show(scene());
      await page.getByRole('button', { name: 'Send a test' }).click();
      await notify.click();
      await expect
        .poll(calls)
        .toEqual([
          policySet({ requireProof: true }),
          policySet({ timeLimit: 30 }),
          policySet({ forwarding: 'never' }),
          policySet({ listed: ['bastion', 'build-7'] }),
          policySet({ listed: [] }),
          ['ask', { do: 'host.remove', name: 'db.example.org', port: 2222 }],
          ['turnPushOn'],
          ['ask', { do: 'push.test' }],
          ['turnPushOff'],
        ]);
    });

    it('keeps the shell, and opens without its server', async () => {
      const gone = await serveScreens(folder);
      const { page } = await openScreens(browser, gone.origin, scene(), { isWorking: true });
      onTestFinished(() => page.context().close());
      await page.evaluate('navigator.serviceWorker.ready.then(() => {})');
      const keptPaths = () =>
        page.evaluate<string[]>(`
          caches.open('shell').then(async (shell) =>
            (await shell.keys()).map(({ url }) => new URL(url).pathname.replace(/-.*\\./, '-#.')))
        `);
      await expect
        .poll(async () => (await keptPaths()).toSorted())
        .toEqual(['/', '/assets/main-#.js', '/assets/style-#.css']);
      gone.close();
      await page.reload();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Remote Signer');
    });
  },
);

/** What moves has come to its end, and is drawn. */
const settled = `
  new Promise(requestAnimationFrame)
    .then(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)))
    .then(() => new Promise(requestAnimationFrame))
    .then(() => {})
`;

/** Controls that a finger could miss, by their text. */
const small = `
  [...document.querySelectorAll('button, a[href], input:not([type=radio], [type=checkbox]), select')]
    .filter((one) => one.checkVisibility())
    .map((one) => [one.textContent || one.id, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 43.9 || height < 43.9)
    .map(([name, { width, height }]) => name + ' ' + width + '×' + height)
`;

function expectedCode(text: string) {
  const encode = decode.encode as (
    text: string,
    options: object,
  ) => { data: boolean[][]; size: number };
  const { data, size } = encode(text, { ecc: 'L', border: 4 });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return { size, path };
}
