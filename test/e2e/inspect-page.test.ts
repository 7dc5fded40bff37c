import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { comparable, fold, frames } from '../../adapters/event-log/replay.ts';
import { stateWords } from '../../app/inspector/page/words.ts';
import type { Flow, MachineView } from '../../app/inspector/protocol.ts';
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import {
  expectState,
  openPage,
  overlapping,
  startInspect,
  violations,
  watchStates,
  type OpenPage,
} from '../support/inspector-story.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { eventsOf } from '../support/program-logs.ts';
import { connectTo, type Phone, PROMPT, readyToLogIn } from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'a quiet passphrase';
const missing = chromiumMissing ?? (hasSshd ? null : 'no OpenSSH server on this machine');

describe.skipIf(missing !== null)(
  `the inspector's page${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    let sshd: Sshd;
    let signer: Phone;
    let browser: Browser;
    let opened: OpenPage;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      signer = await readyToLogIn(headset, phone, sshd, passphrase);
      browser = await openBrowser(bench.directory, bench.prefix);
      const { joinAddress } = await startInspect(phone);
      const { address } = await startInspect(headset, ['--phone', joinAddress ?? '']);
      opened = await openPage(browser, address);
    });
    afterAll(async () => {
      await browser?.close();
      await bench.clear();
      await sshd?.stop();
    });

    const flowShown = () => opened.page.locator('select.flows').inputValue();
    const viewsShown = () => opened.page.evaluate<MachineView[]>('inPage.views()');

    it('walks through a login on both charts, in order, while it happens', async () => {
      const { page } = opened;
      const onHeadset = await watchStates(page, 'headset');
      const onPhone = await watchStates(page, 'phone');
      const connecting = headset.start(connectTo(sshd, signer, ['cat']));
      await signer.answer(passphrase);
      await expectState(page, 'headset', 'session › connected');
      connecting.endInput();
      expect((await connecting.ended).status).toBe(0);
      await expectState(page, 'headset', 'disconnected');

      const flow = await flowShown();
      const { rows } = await page.evaluate<Flow>(`inPage.flow('${flow}')`);
      const recorded = statesOf(connectionMachine, upTo(headset, flow, Infinity));
      expect(recorded).toEqual(
        expect.arrayContaining(
          ['awaitingSigner › awaitingFaceId', 'signed', 'connected'].map(
            (one) => `session › ${one}`,
          ),
        ),
      );
      const ofLink = /^(down|active)/;
      expect(onceInARow((await onHeadset()).filter((one) => !ofLink.test(one)))).toEqual(recorded);

      const requests = rows.filter(({ machine }) => machine === 'signer');
      const [first, last] = [requests[0], requests.at(-1)];
      const all = statesOf(signerMachine, upTo(phone, first?.stream ?? '', last?.version ?? 0));
      const reviewing = [
        'reviewing › settling',
        'reviewing › deciding',
        'verifyingUser',
        'signing',
      ];
      const story = [...reviewing, 'idle'].map((one) => `awake › linked › ${one}`);
      expect(all.slice(-story.length)).toEqual(story);
      expect((await onPhone()).slice(-story.length)).toEqual(story);
    });

    it('ends at what the logs of both devices fold to', async () => {
      const end = upTo(headset, await flowShown(), Infinity).length;
      const isAtEnd = ({ machine, version }: MachineView) =>
        machine === 'connection' && version === end;
      await expect.poll(async () => (await viewsShown()).some(isAtEnd)).toBe(true);
      const views = await viewsShown();
      const shown = (machine: string) => {
        const view = views.find((one) => one.machine === machine);
        return { value: view?.value, status: view?.status, context: view?.context };
      };
      const connection = upTo(headset, await flowShown(), Infinity);
      const { value, status, context } = comparable(fold(connectionMachine, connection));
      expect(shown('connection')).toEqual({ value, status, context });
      const ofPhone = views.find((one) => one.machine === 'signer');
      const onPhone = upTo(phone, ofPhone?.stream ?? '', ofPhone?.version ?? 0);
      const folded = comparable(fold(signerMachine, onPhone));
      expect(shown('signer')).toEqual({
        value: folded.value,
        status: folded.status,
        context: folded.context,
      });
    });

    it('has each event of both devices as an arrow, in the order of time', async () => {
      const { page } = opened;
      const { rows } = await page.evaluate<Flow>(`inPage.flow('${await flowShown()}')`);
      expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).toSorted((a, b) => a - b));
      const connection = await flowShown();
      expect(typesIn(rows, connection)).toEqual(
        upTo(headset, connection, Infinity).map(({ type }) => type),
      );
      const types = rows.map(({ type }) => type);
      const story = [
        'user.connect',
        'ssh.publickeyWanted',
        'ssh.identityAccepted',
        'request.received',
        'sheet.shown',
        'signer.presented',
        'user.approve',
        'xstate.done.actor.biometrics',
        'xstate.done.actor.keys',
        'signer.signed',
        'ssh.authenticated',
        'ssh.closed',
      ];
      expect(types.filter((type) => story.includes(type))).toEqual(story);

      await page.setViewportSize({ width: 1280, height: 2400 });
      await page.keyboard.press('Home');
      const drawn = await page
        .locator('.event-row')
        .evaluateAll((all) => all.map((row) => row.getAttribute('data-type')));
      expect(drawn).toEqual(types);
      await page.setViewportSize({ width: 1280, height: 800 });
    });

    it('steps by key, by choice and by its address, and shows what was then', async () => {
      const { page } = opened;
      await page.keyboard.press('Home');
      await expectState(page, 'headset', 'idle');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => page.locator('.position').textContent()).toContain('event 3 of');
      await page.locator('.event-row[data-type="user.approve"]').click();
      await expectState(page, 'phone', 'awake › linked › verifyingUser');
      await expectState(page, 'headset', 'session › awaitingSigner › awaitingFaceId');
      for (const device of ['headset', 'phone'])
        await expect.poll(() => page.evaluate<boolean>(`inPage.sees('${device}')`)).toBe(true);
      const lit = page.locator('.phone [data-state="signer.awake.linked.verifyingUser"]');
      await expect.poll(() => lit.getAttribute('class')).toContain('active');
      const parent = page.locator('.phone [data-state="signer.awake.linked"]');
      expect(await parent.getAttribute('class')).toContain('active');
      expect(
        await page
          .locator('.phone .taken')
          .evaluateAll((all) => all.map((one) => one.getAttribute('data-transition'))),
      ).toEqual(['signer.awake.linked.reviewing.deciding on user.approve']);
      expect(await page.locator('.headset .clocks').textContent()).toMatch(
        /^signerTimeout \d\.\d s left$/,
      );

      const address = page.url();
      await page.keyboard.press('End');
      await expectState(page, 'headset', 'disconnected');
      await page.goto(address);
      await page.waitForSelector('body[data-ready]');
      await expectState(page, 'phone', 'awake › linked › verifyingUser');
    });

    it('tries out what else could have happened, and nothing real happens', async () => {
      const { page } = opened;
      const before = [eventsOf(headset).length, eventsOf(phone).length];
      await page.locator('.phone .what-if summary').click();
      await page.locator('.phone .choice', { hasText: 'request.withdrawn' }).click();
      await expectState(page, 'phone', 'awake › linked › idle');
      expect(await page.locator('.phone .banner').textContent()).toMatch(
        /^What if: request\.withdrawn, at event \d+\. Nothing real has happened\.$/,
      );
      await page.locator('.phone .choice', { hasText: 'phone.suspended' }).click();
      await expectState(page, 'phone', 'asleep');
      await page.locator('.phone').getByRole('button', { name: 'Back' }).click();
      await expectState(page, 'phone', 'awake › linked › idle');
      await page.locator('.phone').getByRole('button', { name: 'Leave' }).click();
      await expectState(page, 'phone', 'awake › linked › verifyingUser');
      expect([eventsOf(headset).length, eventsOf(phone).length]).toEqual(before);
      await page.locator('.phone .what-if summary').click();
    });

    it('shows a refusal as it shows a login', async () => {
      const { page } = opened;
      const connecting = headset.start(connectTo(sshd, signer, ['true']));
      await signer.expect(PROMPT);
      signer.type('d\n');
      expect((await connecting.ended).status).toBe(255);
      const denied = page.locator('select.flows option', { hasText: /log in .* denied/ });
      await expect.poll(() => denied.count()).toBe(1);
      await page.locator('select.flows').selectOption((await denied.getAttribute('value')) ?? '');
      await expectState(page, 'headset', 'denied');
      const last = (await viewsShown()).find(({ machine }) => machine === 'connection');
      expect(last?.context).toMatchObject({ reason: 'denied' });
    });

    it('is clean for assistive technology, in light and dark, with every panel open', async () => {
      const { page } = opened;
      for (const summary of await page.locator('summary:visible').all()) await summary.click();
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const size of [
          { width: 1280, height: 800 },
          { width: 700, height: 900 },
        ]) {
          await page.setViewportSize(size);
          await page.emulateMedia({ colorScheme });
          expect(await violations(page), `${colorScheme} ${size.width}`).toEqual([]);
        }
      }
      for (const summary of await page.locator('summary:visible').all()) await summary.click();
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'light' });
    });

    it('has no text over another, from wide to narrow, and tabs where it is narrow', async () => {
      const { page } = opened;
      for (const width of [1600, 1280, 1100, 900, 700, 390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        const isNarrow = width < 1100;
        const tabs = page.getByRole('tablist', { name: 'columns' });
        expect(await tabs.isVisible(), String(width)).toBe(isNarrow);
        for (const column of isNarrow ? ['headset', 'phone', 'events'] : ['all']) {
          if (isNarrow) await tabs.getByRole('tab', { name: column, exact: true }).click();
          const where = `${column} at ${width}`;
          expect(await overlapping(page, '.label, .detail, .event-row .time'), where).toEqual([]);
          expect(
            await overlapping(page, 'header h1, header select, header button, header a, .live'),
            where,
          ).toEqual([]);
          expect(
            await overlapping(page, '.device-head > *, .state-words, .clocks, .transport > *'),
            where,
          ).toEqual([]);
          expect(await page.evaluate<boolean>('inPage.isTooWide()'), where).toBe(false);
        }
      }
      await page.setViewportSize({ width: 1280, height: 800 });
    });

    it('needs no network, asks its own address only, and has nothing to complain about', () => {
      const { asked, complaints } = opened;
      const { host } = new URL(opened.page.url());
      const elsewhere = asked.filter(
        (address) => !/^(file|data):/.test(address) && new URL(address).host !== host,
      );
      expect(elsewhere).toEqual([]);
      expect(complaints).toEqual([]);
    });
  },
);

const upTo = (device: Device, stream: string, version: number): Envelope[] =>
  eventsOf(device).filter((one) => one.stream === stream && one.version <= version);

const typesIn = (rows: { stream: string; type: string }[], stream: string) =>
  rows.filter((row) => row.stream === stream).map(({ type }) => type);

/** The states of a recorded run in words. */
const statesOf = (machine: AnyStateMachine, events: Envelope[]) =>
  onceInARow([...frames(machine, events)].map(({ snapshot }) => stateWords(snapshot.value)));

const onceInARow = (words: string[]) => words.filter((word, i) => word !== words[i - 1]);
