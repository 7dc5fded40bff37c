import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { READING_TIME } from '../../app/phone/page/tap-guard.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import {
  buildScreens,
  openScreens,
  serveScreens,
  type Look,
  type ServedScreens,
} from './built-screens.ts';
import { desktop, fingerprints, scene, sheets, shown, type Scene } from './scenes.ts';

/** A little more than a sheet has to be on screen before a tap counts. */
const READ = 900;
/** A little more than one of them is long. Milliseconds, both. */
const FRAME = 17;

const approve = (page: Page) => page.getByRole('button', { name: 'Approve with Face ID' });
const deny = (page: Page) => page.getByRole('button', { name: /^Deny/ });
const dialog = (page: Page) => page.getByRole('dialog', { name: /^SSH Sign Request/ });

describe.skipIf(chromiumMissing !== null)(
  `the sheet in a browser${chromiumMissing === null ? '' : ` [skipped: ${chromiumMissing}]`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'phone-sheet-'));
    let browser: Browser;
    let web: ServedScreens;
    beforeAll(async () => {
      await buildScreens(join(directory, 'page'));
      web = await serveScreens(join(directory, 'page'));
      browser = await openBrowser(directory);
    });
    afterAll(async () => {
      await browser?.close();
      web?.close();
      rmSync(directory, { recursive: true });
    });

    async function opened(first: Scene = scene(), look: Look = {}) {
      const screens = await openScreens(browser, web.origin, first, look);
      onTestFinished(async () => {
        expect(screens.complaints).toEqual([]);
        await screens.page.context().close();
      });
      return screens;
    }

    /** With a sheet that was on screen long enough. */
    async function read(name: string, look: Look = {}) {
      const screens = await opened(scene({ sheet: sheets[name] ?? shown() }), look);
      await screens.page.waitForTimeout(READ);
      return screens;
    }

    it('is a dialog by name, says what is asked, and has Deny focused', async () => {
      const { page, shown: told } = await read('known');
      expect((await dialog(page).ariaSnapshot()).replace(/\d+ seconds/, 'N seconds')).toBe(
        [
          '- dialog "SSH Sign Request":',
          '  - banner:',
          '    - heading "SSH Sign Request" [level=1]',
          '    - timer "N seconds left"',
          '  - paragraph: From Vision Pro',
          '  - paragraph: to web.example.org',
          '  - paragraph: Known host',
          '  - paragraph: web.example.org, known since 2026-10-27',
          '  - text: User',
          '  - strong: deploy',
          '  - text: Key production',
          `  - code: ${fingerprints.passkey}`,
          '  - text: Host key',
          `  - code: ${fingerprints.host}`,
          '  - strong: "42"',
          '  - text: The same as on Vision Pro?',
          '  - alert',
          '  - status',
          '  - contentinfo:',
          '    - status',
          '    - button "Deny"',
          '    - button "Approve with Face ID"',
        ].join('\n'),
      );
      expect(await deny(page).evaluate((button) => button.matches(':focus'))).toBe(true);
      expect(await told()).toEqual([['sheetShown', 'vision/1']]);
    });

    it('takes a tap on what could be read, and none before', async () => {
      const { page, calls, show } = await opened(scene(), { isTimed: true });
      await show(scene({ sheet: shown() }));
      await page.clock.runFor(READING_TIME);
      await approve(page).click();
      await deny(page).click();
      expect(await calls()).toEqual([]);
      await expect
        .poll(() => dialog(page).textContent())
        .toContain('That tap did not count: the sheet had only just come up.');
      await page.clock.runFor(2 * FRAME);
      await approve(page).click();
      expect(await calls()).toEqual([['approve', 'vision/1']]);
      await deny(page).click();
      expect(await calls()).toEqual([
        ['approve', 'vision/1'],
        ['deny', 'vision/1'],
      ]);
    });

    it('takes no tap that began on another sheet, or on none', async () => {
      const { page, calls, show } = await read('known');
      const box = (await approve(page).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await show(scene({ sheet: shown({ ref: 'vision/2' }) }));
      await page.waitForTimeout(READ);
      await page.mouse.up();
      await show(scene());
      await page.mouse.down();
      await show(scene({ sheet: shown({ ref: 'vision/3' }) }));
      await page.waitForTimeout(READ);
      await page.mouse.up();
      expect(await calls()).toEqual([]);
      await page.mouse.down();
      await page.mouse.up();
      expect(await calls()).toEqual([['approve', 'vision/3']]);
    });

    it('takes no tap when the bytes or the badge of the same request become others', async () => {
      const { page, calls, show } = await opened(scene(), { isTimed: true });
      await show(scene({ sheet: shown() }));
      await page.clock.runFor(READ);
      const other = { ...sheets['new host, remembered']?.sheet, bytes: 'BBBB' };
      await show(scene({ sheet: shown(other) }));
      await approve(page).click();
      expect(await calls()).toEqual([]);
    });

    it('takes no key that was held since before, nor a tap of a script', async () => {
      const { page, calls, show } = await read('known');
      await deny(page).focus();
      await page.keyboard.down('Enter');
      expect(await calls()).toEqual([['deny', 'vision/1']]);
      await show(scene({ sheet: shown({ ref: 'vision/2' }) }));
      await page.waitForTimeout(READ);
      // A key that repeats.
      await page.keyboard.down('Enter');
      await page.keyboard.up('Enter');
      await page.evaluate(`document.querySelector('.approve').click()`);
      expect(await calls()).toEqual([['deny', 'vision/1']]);
    });

    it('is answered by keys, and by Escape only with Deny, and does not close by itself', async () => {
      const { page, calls, show } = await opened(scene(), { isTimed: true });
      await show(scene({ sheet: shown() }));
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      expect(await calls()).toEqual([]);
      expect(await dialog(page).isVisible()).toBe(true);
      await page.clock.runFor(READ);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
      expect(await calls()).toEqual([
        ['approve', 'vision/1'],
        ['deny', 'vision/1'],
      ]);
      expect(await dialog(page).isVisible()).toBe(true);
    });

    it('gives the focus back to where it was', async () => {
      const { page, show } = await opened();
      const link = page.getByRole('link', { name: 'Activity' });
      await link.focus();
      await show(scene({ sheet: shown() }));
      expect(await deny(page).evaluate((button) => button.matches(':focus'))).toBe(true);
      await show(scene());
      expect(await dialog(page).count()).toBe(0);
      expect(await link.evaluate((one) => one.matches(':focus'))).toBe(true);
    });

    it('says what came of it, and for how long', async () => {
      const { page, show } = await opened();
      const toast = page.locator('.toast-place');
      const ended = { ref: 'a', host: 'web', user: 'root', isTooLate: false, until: 60_000 };
      const words = async (change: object) => {
        await show(scene({ ended: { ...ended, outcome: 'expired', ...change } }));
        return toast.textContent();
      };
      expect(await words({ outcome: 'signed' })).toBe('root@web: signed');
      expect(await words({ outcome: 'denied' })).toBe('root@web: denied; nothing was signed');
      expect(await words({})).toBe('root@web: expired; nothing was signed');
      expect(await words({ outcome: 'withdrawn' })).toBe('root@web: withdrawn; nothing was signed');
      expect(await words({ isTooLate: true })).toBe('root@web: Too late, nothing was signed.');
      expect(await words({ user: '', host: '' })).toBe('A signature: expired; nothing was signed');
      expect(await words({ until: 200 })).not.toBe('');
      await expect.poll(() => toast.textContent()).toBe('');
    });

    it.each([
      ['mismatch', 'The bytes to be signed say something else than the signer does.'],
      ['unreadable', 'The bytes to be signed are nothing that this page signs. Deny.'],
      ['changed', 'This host showed another key before.'],
      ['terminal', 'It is approved in the terminal where signer runs.'],
      ['other page', 'belongs to another page, at localhost. It can be approved only there.'],
    ])('offers only Deny: %s', async (name, words) => {
      const { page, calls } = await read(name);
      expect(await page.getByRole('button').allTextContents()).toEqual(['Deny']);
      expect(await page.getByRole('alert').allTextContents()).toEqual([
        expect.stringContaining(words),
      ]);
      await deny(page).click();
      expect(await calls()).toEqual([['deny', 'vision/1']]);
    });

    it('vouches for nothing when the bytes say something else', async () => {
      const { page } = await read('mismatch');
      const text = await dialog(page).textContent();
      expect(text).toContain('said by Vision Pro');
      expect(text).not.toContain('Known host');
      expect(text).not.toContain('42');
    });

    it('asks for the code of the headset, and sends it whole, digits only', async () => {
      const { page, calls, show } = await opened(scene({ sheet: sheets['code to type'] ?? null }));
      const field = page.getByRole('textbox', {
        name: 'Type the two digits that Vision Pro shows',
      });
      expect(await page.getByText('That was another code. 2 tries left.').isVisible()).toBe(true);
      await field.pressSequentially('4x');
      expect(await calls()).toEqual([]);
      await field.pressSequentially('2');
      expect(await calls()).toEqual([['enterCode', 'vision/1', '42']]);
      await page.waitForTimeout(READ);
      await approve(page).click({ force: true });
      expect((await calls()).length).toBe(1);
      const again = { ...sheets['code to type']?.sheet, triesLeft: 1 };
      await show(scene({ sheet: shown(again) }));
      await expect.poll(() => field.inputValue()).toBe('');
      expect(await page.getByText('One try left.').isVisible()).toBe(true);
    });

    it('lets the host be remembered, and shows what the signer says of it', async () => {
      const { page, calls } = await read('new host, remembered');
      const pin = page.getByRole('switch', { name: 'Remember this host' });
      expect(await pin.isChecked()).toBe(true);
      await pin.click();
      expect(await calls()).toEqual([['setPinning', 'vision/1', false]]);
      expect(await pin.isChecked()).toBe(true);
    });

    it('says where it is being verified, and takes no second tap meanwhile', async () => {
      const { page, calls, show } = await read('verifying');
      expect(await dialog(page).textContent()).toContain('Waiting for Face ID…');
      await approve(page).click({ force: true });
      expect(await calls()).toEqual([]);
      await show(scene({ sheet: sheets['verifying elsewhere'] ?? null }));
      expect(await dialog(page).textContent()).toContain(
        'You are being verified in another window.',
      );
    });

    it('approves without the name of a face where there is none', async () => {
      const { page } = await opened(scene({ sheet: shown(), abilities: desktop }));
      expect(await page.getByRole('button', { name: 'Approve', exact: true }).isVisible()).toBe(
        true,
      );
    });

    it('spells out what hides or reorders, and sets foreign text apart', async () => {
      const { page } = await read('hostile');
      const text = (await dialog(page).textContent()) ?? '';
      expect(text).toContain('Vision\\u{202E}orP \\u{200B}noisiV');
      expect(text).not.toMatch(/[\u202e\u200b]/);
      expect(await dialog(page).locator('bdi', { hasText: 'prod' }).count()).toBe(1);
    });

    it('counts equal requests and those that wait', async () => {
      const { page } = await read('not proven, several');
      expect(await page.getByRole('heading', { name: 'SSH Sign Request ×3' }).count()).toBe(1);
      expect(await page.getByRole('button', { name: 'Deny all 3' }).isVisible()).toBe(true);
      expect(await dialog(page).textContent()).toContain('2 more waiting');
      expect(await dialog(page).textContent()).toContain('said by ThinkPad');
    });

    it('lets nothing be approved that its own clock has ended', async () => {
      const { page, calls } = await opened(scene({ sheet: shown({}, { until: 1000 }) }));
      await page.waitForTimeout(1100);
      await approve(page).click();
      expect(await calls()).toEqual([]);
    });
  },
);
