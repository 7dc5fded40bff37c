import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { failures } from '../../machines/failures.ts';
import { chromiumMissing } from '../support/browser.ts';
import { createPageAuthenticator } from '../support/page-authenticator.ts';
import {
  approve,
  approveButton,
  createInPage,
  deny,
  denyButton,
  endOf,
  newPhoneContext,
  openTab,
  pairPage,
  sheetOf,
  startWebPhone,
  webRig,
  type WebRig,
} from '../support/phone-page-story.ts';
import { eventsOf, untold } from '../support/program-logs.ts';
import type { RunningProgram } from '../support/program-driver.ts';
import { hasSshd } from '../support/sshd.ts';

const lacking = chromiumMissing ?? (hasSshd ? null : 'no OpenSSH server on this machine');

describe.skipIf(lacking !== null)(
  `nothing is signed, and both ends say why${lacking === null ? '' : ` [skipped: ${lacking}]`}`,
  { timeout: 90_000 },
  () => {
    const authenticator = createPageAuthenticator();
    let rig: WebRig;
    let context: BrowserContext;
    let page: Page;
    let before: { logins: number; receipts: number; asked: number };

    const receipts = () => eventsOf(rig.phone).filter(({ type }) => type === 'receipt.kept').length;
    const counts = () => ({
      logins: rig.logins(),
      receipts: receipts(),
      asked: authenticator.asked(),
    });

    beforeAll(async () => {
      rig = await webRig();
      context = await newPhoneContext(rig.browser);
      await authenticator.install(context);
      page = await context.newPage();
      await page.goto(rig.running.origin);
      await pairPage(rig.phone, page);
      await rig.sshd.setAuthorizedKeys([await createInPage(page, 'Passkey', 'face')]);
    });
    beforeEach(() => {
      authenticator.behaviour = {};
      before = counts();
    });
    afterEach(async () => {
      // Two sheets in a row that nobody answers give the headset a rest.
      await rig.phone.run(['devices', 'unmute', 'Headset']);
    });
    afterAll(() => rig?.end());

    /** The headset's words, and that no signature exists anywhere. */
    async function unsigned(login: RunningProgram, words: string): Promise<void> {
      const { status, stdout, stderr } = await login.ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toContain(words);
      const { logins, receipts } = before;
      expect({ logins: rig.logins(), receipts: counts().receipts }).toEqual({ logins, receipts });
    }

    const toast = () => expect.poll(() => endOf(page).catch(() => ''), { timeout: 10_000 });

    async function stillWorks(): Promise<void> {
      const { logins } = counts();
      const login = rig.login();
      await sheetOf(page).waitFor();
      await approve(page);
      expect((await login.ended).stdout).toBe('root\n');
      expect(rig.logins()).toBe(logins + 1);
    }

    it('when the person denies: the authenticator is not even asked', async () => {
      const login = rig.login();
      await sheetOf(page).waitFor();
      await denyButton(page).and(page.locator(':focus')).waitFor();
      await deny(page);
      await unsigned(login, failures.denied.message);
      await toast().toBe('root@127.0.0.1: denied; nothing was signed');
      expect(authenticator.asked()).toBe(before.asked);
    });

    it('when nobody answers in time', async () => {
      const login = rig.login(3);
      await sheetOf(page).waitFor();
      await sheetOf(page).waitFor({ state: 'detached' });
      await toast().toBe('root@127.0.0.1: expired; nothing was signed');
      await unsigned(login, failures.notApproved.hint);
    });

    it('when the person is verified too late', async () => {
      authenticator.behaviour = { takes: 4_000 };
      const login = rig.login(3);
      await approve(page);
      await toast().toBe('root@127.0.0.1: Too late, nothing was signed.');
      await unsigned(login, failures.notApproved.hint);
      await page.waitForTimeout(3_000);
      expect(counts()).toMatchObject({ logins: before.logins, receipts: before.receipts });
    });

    it('when the headset takes the request back', async () => {
      const login = rig.login();
      await sheetOf(page).waitFor();
      login.kill('SIGINT');
      await sheetOf(page).waitFor({ state: 'detached' });
      await toast().toBe('root@127.0.0.1: withdrawn; nothing was signed');
      await login.ended;
      expect(rig.logins()).toBe(before.logins);
    });

    it('when the person is not verified, three times', async () => {
      authenticator.behaviour = { cancels: true };
      const login = rig.login(20);
      await approve(page);
      await sheetOf(page).getByText('2 tries left.').waitFor();
      await approve(page);
      await sheetOf(page).getByText('One try left.').waitFor();
      await approve(page);
      await unsigned(login, failures.wrongPassphrase.message);
      await toast().toContain('nothing was signed');
    });

    it('until they are: a try that failed is not the end', async () => {
      authenticator.behaviour = { cancels: true };
      const login = rig.login(20);
      await approve(page);
      await sheetOf(page).getByText('2 tries left.').waitFor();
      authenticator.behaviour = {};
      await approve(page);
      expect((await login.ended).stdout).toBe('root\n');
    });

    it('when the authenticator signs without verifying its owner', async () => {
      authenticator.behaviour = { userVerified: false };
      const login = rig.login();
      await approve(page);
      await unsigned(login, failures.verificationUnavailable.message);
    });

    it('when the page is closed while its sheet is up; the next page has the sheet again', async () => {
      const login = rig.login(20);
      await sheetOf(page).waitFor();
      await page.close();
      page = await context.newPage();
      await page.goto(rig.running.origin);
      await sheetOf(page).waitFor();
      await approve(page);
      expect((await login.ended).stdout).toBe('root\n');
      expect(rig.logins()).toBe(before.logins + 1);
    });

    it('when the page is loaded anew while it verifies: that try is over, the sheet is not', async () => {
      authenticator.behaviour = { takes: 60_000 };
      const login = rig.login(20);
      await approve(page);
      await sheetOf(page)
        .getByText(/Waiting for you to be verified/)
        .waitFor();
      await page.reload();
      await sheetOf(page).waitFor();
      authenticator.behaviour = {};
      await approve(page);
      expect((await login.ended).stdout).toBe('root\n');
      expect(rig.logins()).toBe(before.logins + 1);
    });

    it('when no page is open: the headset is told at once, and that nothing was shown', async () => {
      await page.goto('about:blank');
      const login = rig.login(3);
      await login.expect('your phone is asleep: open the signer there');
      await unsigned(login, failures.notPresented.hint);
      await page.goto(rig.running.origin);
      await stillWorks();
    });

    it('when the signer ends in the middle; it is there again, and so is the page', async () => {
      const login = rig.login();
      await sheetOf(page).waitFor();
      const port = Number(rig.running.address.split(':')[1]);
      rig.running.kill('SIGKILL');
      await rig.running.ended;
      await sheetOf(page).waitFor({ state: 'detached' });
      const ended = await login.ended;
      expect(ended.status).toBe(255);
      rig.running = await startWebPhone(rig.phone, { port });
      await openTab(page, 'Home');
      await page
        .getByText(/No headset is linked|Ready|headset/i)
        .first()
        .waitFor();
      expect(rig.logins()).toBe(before.logins);
      await expect
        .poll(() => page.getByRole('status').allInnerTexts(), { timeout: 15_000 })
        .not.toContain('lost');
      await stillWorks();
    });

    it('when the signer stands still and says nothing: its page notices, and goes on with it', async () => {
      await openTab(page, 'Home');
      rig.running.kill('SIGSTOP');
      await page.getByText('Connection lost').waitFor({ timeout: 40_000 });
      rig.running.kill('SIGCONT');
      await page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 20_000 });
      await stillWorks();
    });

    it('twice: of two windows the first answer counts, and the other says so', async () => {
      const other = await context.newPage();
      await other.goto(rig.running.origin);
      await other.getByRole('navigation', { name: 'Tabs' }).waitFor();
      authenticator.behaviour = { takes: 1_500 };
      const login = rig.login(20);
      await sheetOf(other).waitFor();
      await other.bringToFront();
      await approve(other);
      await sheetOf(page).getByText('You are being verified in another window.').waitFor();
      expect((await login.ended).stdout).toBe('root\n');
      await sheetOf(page).waitFor({ state: 'detached' });
      expect(counts()).toMatchObject({
        logins: before.logins + 1,
        receipts: before.receipts + 1,
        asked: before.asked + 1,
      });
      await other.close();
      await page.bringToFront();
    });

    it('when another sheet comes under the finger: the tap counts for neither', async () => {
      const first = rig.login(8);
      await sheetOf(page).waitFor();
      const second = rig.login(20);
      await page.waitForTimeout(1_500);
      const box = (await approveButton(page).boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      first.kill('SIGINT');
      await first.ended;
      await sheetOf(page).waitFor();
      await page.waitForTimeout(200);
      await page.mouse.up();
      await page.waitForTimeout(500);
      expect(authenticator.asked()).toBe(before.asked);
      expect(rig.logins()).toBe(before.logins);
      await deny(page);
      await unsigned(second, failures.denied.message);
    });

    it('after the browser was unpaired: its page ends at once, and takes no answer', async () => {
      const login = rig.login(4);
      await sheetOf(page).waitFor();
      await rig.phone.run(['web', 'unpair', 'iPhone']);
      await page.getByText(/This browser was unpaired/).waitFor();
      await unsigned(login, failures.notApproved.hint);
    });

    it('leaves a headset’s log that folds to what its screens told', () => {
      expect(untold(rig.headset)).toEqual([]);
    });
  },
);
