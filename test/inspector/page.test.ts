import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import { Conflict, type DrivingPort } from '../../app/inspector/driving-port.ts';
import { joinSources } from '../../app/inspector/joined-source.ts';
import type { Driving } from '../../app/inspector/protocol.ts';
import type { InspectorOptions } from '../../app/inspector/start-inspector.ts';
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { expectState, openPage, overlapping, violations } from '../support/inspector-story.ts';
import { hostKey } from '../support/story-signer.ts';
import { startedInspector } from './inspector-client.ts';
import { recordedDevice, stopTime, tell } from './recorded-devices.ts';
import { CONNECTION, recordLogin } from './recorded-login.ts';

/** A saved host and no connection; every command is refused. */
const refusing: DrivingPort = {
  state: (): Driving => ({ hosts: ['web'], connection: null }),
  drive: () => Promise.reject(new Conflict('a connection is open already')),
  onChange: () => () => {},
};

/** A connection that goes on while the page is open. */
function begun() {
  stopTime();
  const { source, start } = recordedDevice('headset');
  const connect = () =>
    start('connection', connectionMachine, {
      flowId: 'flow-1',
      host: 'bench',
      port: null,
      user: 'root',
      preferred: null,
    });
  return { source, connect };
}

const textOf = (page: Page, selector: string) => page.locator(selector).textContent();
const position = (page: Page) => textOf(page, '.position');

describe.skipIf(chromiumMissing !== null)(
  `the page in a browser${chromiumMissing === null ? '' : ` [skipped: ${chromiumMissing}]`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'inspector-page-'));
    let browser: Browser;
    beforeAll(async () => {
      browser = await openBrowser(directory);
    });
    afterAll(async () => {
      await browser?.close();
      rmSync(directory, { recursive: true });
    });

    async function opened(
      source: DeviceSource,
      options: Partial<InspectorOptions> = {},
      size?: { width: number; height: number },
    ) {
      const client = await startedInspector(source, options);
      const { page, complaints } = await openPage(browser, client.inspector.address, size);
      onTestFinished(() => page.context().close());
      return { page, complaints, client };
    }

    /** The page with a whole login of both devices in it. */
    async function withLogin(size?: { width: number; height: number }) {
      stopTime();
      const { headset, phone } = await recordLogin();
      return opened(joinSources(headset.source, phone.source), { flow: CONNECTION }, size);
    }

    it('takes a click into which a redraw falls', async () => {
      const { page } = await withLogin();
      await page.keyboard.press('Home');
      const row = page.locator('.event-row').nth(4);
      const box = (await row.boundingBox()) ?? { x: 0, y: 0 };
      await page.mouse.move(box.x + 40, box.y + 20);
      await page.mouse.down();
      await page.setViewportSize({ width: 1280, height: 840 });
      await expect.poll(() => page.locator('.event-row').count()).toBeGreaterThan(16);
      await page.evaluate('new Promise(requestAnimationFrame)');
      await page.mouse.up();
      await expect.poll(() => position(page)).toMatch(/^event 5 of/);
    });

    it('is used by keys alone: rows, columns, machines, steps', async () => {
      const { page } = await withLogin({ width: 700, height: 800 });
      const list = page.getByRole('listbox');
      await list.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('PageDown');
      expect(await position(page)).toMatch(/^event 12 of/);
      expect(await list.getAttribute('aria-activedescendant')).toBe('event-11');
      const chosen = list.getByRole('option', { selected: true });
      expect(await chosen.getAttribute('id')).toBe('event-11');
      await page.getByRole('tab', { name: 'events' }).focus();
      await page.keyboard.press('ArrowRight');
      const phone = page.getByRole('tab', { name: 'phone' });
      expect(await phone.getAttribute('aria-selected')).toBe('true');
      expect(await phone.evaluate((tab) => tab.matches(':focus'))).toBe(true);
      expect(await position(page)).toMatch(/^event 12 of/);
    });

    it('shows the active state of a column that comes into sight', async () => {
      const { page } = await withLogin({ width: 390, height: 800 });
      await page.keyboard.press('Home');
      while (!(await isChosen(page, 'user.approve'))) await page.keyboard.press('ArrowRight');
      await expectState(page, 'phone', 'awake › linked › verifyingUser');
      await page.getByRole('tab', { name: 'phone', exact: true }).click();
      const state = page.locator('[data-state="signer.awake.linked.verifyingUser"] rect').first();
      const frame = await page.locator('.phone .scroller').boundingBox();
      await expect
        .poll(async () => {
          const box = await state.boundingBox();
          if (box === null || frame === null) return 'nowhere';
          return box.y >= frame.y && box.y < frame.y + frame.height / 2 ? 'in sight' : 'elsewhere';
        })
        .toBe('in sight');
    });

    it('says that a link leads nowhere, and opens the newest flow', async () => {
      stopTime();
      const { headset } = await recordLogin();
      const { page } = await opened(headset.source, { flow: 'connection/elsewhere' });
      expect(await textOf(page, '.notices')).toBe('there is no such flow in this log.');
      expect(await page.locator('select.flows').inputValue()).toBe(CONNECTION);
      await expectState(page, 'headset', 'disconnected');
    });

    it('says that nothing is recorded yet, and opens the first flow when it begins', async () => {
      const { source, connect } = begun();
      const { page, complaints } = await opened(source);
      expect(await textOf(page, '.nothing')).toBe(
        'Nothing is recorded yet. Run vmux connect user@host in another terminal; it appears here.',
      );
      expect(await page.locator('#columns').isVisible()).toBe(false);
      expect(await violations(page)).toEqual([]);
      tell(connect(), 10, { type: 'user.connect' });
      await expectState(page, 'headset', 'session › handshaking');
      expect(await page.locator('.nothing').isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });

    it('stays where the person looks, counts what is newer, and goes there when asked', async () => {
      const { source, connect } = begun();
      const connection = connect();
      tell(connection, 10, { type: 'user.connect' });
      const { page } = await opened(source);
      await page.keyboard.press('Home');
      expect(await textOf(page, '.live')).toBe('live, paused');
      const at = 0;
      tell(
        connection,
        10,
        { type: 'ssh.resolved', at, hostname: '192.0.2.2', port: 22, user: 'root' },
        { type: 'ssh.hostKeyKnown', at, ...hostKey('bench') },
      );
      const news = page.getByRole('button', { name: '3 newer events' });
      await expect.poll(() => news.isVisible()).toBe(true);
      await expectState(page, 'headset', 'idle');
      expect(await position(page)).toBe('event 1 of 4');
      expect(await overlapping(page, '.news, .label, .transport > *')).toEqual([]);
      await news.click();
      expect(await position(page)).toBe('event 4 of 4');
      expect(await news.isVisible()).toBe(false);
      expect(await textOf(page, '.live')).toBe('● live');
    });

    it('keeps what was refused in words while events go by, until the next act', async () => {
      const { source, connect } = begun();
      const connection = connect();
      const { page } = await opened(source, { driving: refusing });
      expect(await page.getByLabel('saved host').inputValue()).toBe('web');
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      const words = 'a connection is open already.';
      await expect.poll(() => textOf(page, '.notices')).toBe(words);
      tell(connection, 10, { type: 'user.connect' });
      await expectState(page, 'headset', 'session › handshaking');
      expect(await textOf(page, '.notices')).toBe(words);
      await page.keyboard.press('Home');
      await expectState(page, 'headset', 'idle');
      expect(await textOf(page, '.notices')).toBe('');
    });

    it('plays from the beginning, event by event, to the end', async () => {
      const { page } = await withLogin();
      const last = (await position(page))?.replace(/^event (\d+) of \1$/, '$1');
      await page.evaluate(`
        globalThis.positions = [];
        const shown = document.querySelector('.position');
        new MutationObserver(() => positions.push(shown.value)).observe(shown, { childList: true });
      `);
      await page.getByRole('button', { name: 'Play' }).click();
      await expect.poll(() => page.getByRole('button', { name: 'Play' }).count(), SOON).toBe(1);
      const positions = await page.evaluate<string[]>('positions');
      expect(positions).toEqual(
        Array.from({ length: Number(last) }, (_, i) => `event ${i + 1} of ${last}`),
      );
    });

    it('says that the inspector has ended, and keeps what it has', async () => {
      const { page, client } = await withLogin();
      await client.inspector.close();
      await expect.poll(() => textOf(page, '.live')).toBe('the inspector has ended');
      await page.keyboard.press('Home');
      await expect
        .poll(() => textOf(page, '.notices'))
        .toBe('The inspector in the terminal has ended. Start it again to go on.');
      expect(await page.locator('.event-row').count()).toBeGreaterThan(10);
    });
  },
);

const SOON = { timeout: 15_000 };

const isChosen = async (page: Page, type: string) =>
  (await page.locator('.event-row[aria-selected=true]').getAttribute('data-type')) === type;
