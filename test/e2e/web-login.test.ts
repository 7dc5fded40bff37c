import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../adapters/webauthn/receipt.ts';
import { chromiumMissing, openProfile } from '../support/browser.ts';
import { createPageAuthenticator } from '../support/page-authenticator.ts';
import {
  addAuthenticator,
  approve,
  createInPage,
  endOf,
  enterCode,
  newPhoneContext,
  openTab,
  pairPage,
  PHONE_SIZE,
  sheetOf,
  startWebPhone,
  webRig,
  type WebRig,
} from '../support/phone-page-story.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import { connectTo } from '../support/program-story.ts';
import { hasSshd } from '../support/sshd.ts';

const lacking = chromiumMissing ?? (hasSshd ? null : 'no OpenSSH server on this machine');

/** Authenticator data: the extension data that a signature covers, too. */
const hasExtensions = ({ authenticatorData }: Receipt) =>
  (Buffer.from(authenticatorData, 'base64')[32]! & 0x80) !== 0;

describe.skipIf(lacking !== null)(
  `a login that is approved in the phone’s page${lacking === null ? '' : ` [skipped: ${lacking}]`}`,
  { timeout: 60_000 },
  () => {
    let rig: WebRig;
    let context: BrowserContext;
    let page: Page;
    const lines: string[] = [];
    const problems: string[] = [];

    beforeAll(async () => {
      rig = await webRig();
      context = await newPhoneContext(rig.browser);
      page = await context.newPage();
      page.on('pageerror', ({ message }) => problems.push(message));
      page.on('console', (message) => {
        // While the signer is away, the page looks for it.
        const isExpected = message.text().includes('ERR_CONNECTION_REFUSED');
        if (message.type() === 'error' && !isExpected) problems.push(message.text());
      });
      await addAuthenticator(page);
      await page.goto(rig.running.origin);
    });
    afterAll(() => rig?.end());

    async function make(kind: 'Passkey' | 'Sealed key', label: string): Promise<void> {
      lines.push(await createInPage(page, kind, label));
      await rig.sshd.setAuthorizedKeys([lines.at(-1)!]);
    }

    /** One login, approved on the sheet by this page. */
    async function logIn(on = page) {
      const before = rig.logins();
      const login = rig.login();
      await sheetOf(on).waitFor();
      await approve(on);
      const { status, stdout } = await login.ended;
      expect({ status, stdout, logins: rig.logins() - before }).toEqual({
        status: 0,
        stdout: 'root\n',
        logins: 1,
      });
      await expect.poll(() => endOf(on)).toBe('root@127.0.0.1: signed');
    }

    const receipts = async () => {
      const { stdout } = await rig.phone.run(['receipts', 'list', '--json']);
      return JSON.parse(stdout) as { receipt: Receipt; fingerprint: string }[];
    };

    it('begins with a browser that is paired inside the page, by a typed code', async () => {
      await pairPage(rig.phone, page);
      const { stdout } = await rig.phone.run(['web']);
      expect(stdout).toMatch(/^http:\/\/localhost:47823\niPhone +[0-9a-f-]{36} {2}paired /);
    });

    it('works with a passkey, at a server that demands user verification', async () => {
      await make('Passkey', 'face');
      expect(lines[0]).toMatch(/^verify-required sk-ecdsa-sha2-nistp256@openssh.com \S+ face$/);
      await logIn();
      expect(rig.sshd.log()).toContain('ECDSA-SK SHA256:');
    });

    it('leaves a receipt that anybody can check, and no challenge in the log', async () => {
      const [kept, ...more] = await receipts();
      expect(more).toEqual([]);
      const asked = eventsOf(rig.headset).find(({ type }) => type === 'ssh.identityAccepted');
      expect(asked?.data).toMatchObject({ challengeHash: kept!.receipt.challengeHash });
      const file = join(rig.bench.directory, 'receipts.json');
      const listed = await rig.phone.run(['receipts', 'list', '--json']);
      writeFileSync(file, listed.stdout);
      const { status, stdout } = await rig.phone.run(['receipts', 'check', file]);
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: `holds  ${kept!.receipt.challengeHash}\n1 hold, 0 fail\n`,
      });
      const changed = { ...kept!.receipt, clientDataHash: '0'.repeat(64) };
      writeFileSync(file, JSON.stringify([changed]));
      const refused = await rig.phone.run(['receipts', 'check', file]);
      expect(refused).toMatchObject({ status: 1 });
      expect(refused.stdout).toContain('signatureInvalid');
    });

    it('works with a key that a passkey seals, and leaves a receipt by that passkey', async () => {
      await make('Sealed key', 'plain');
      expect(lines[1]).toMatch(/^ecdsa-sha2-nistp256 \S+ plain$/);
      await logIn();
      const kept = await receipts();
      expect(kept).toHaveLength(2);
      expect(kept[1]!.receipt.publicKey).not.toBe(kept[0]!.receipt.publicKey);
    });

    it('works with the sealed key after the page was loaded anew', async () => {
      await page.reload();
      await logIn();
    });

    it('works with it in a browser that has lost its storage, and got the sealed key back', async () => {
      const cdp = await context.newCDPSession(page);
      const { origin } = rig.running;
      await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
      await context.clearCookies();
      await page.reload();
      await pairPage(rig.phone, page, 'iPhone again');
      await logIn();
    });

    it('works with it after the signer was started again', async () => {
      rig.running.kill('SIGTERM');
      await rig.running.ended;
      rig.running = await startWebPhone(rig.phone);
      await logIn();
    });

    it('works at a new host, when its code is typed into the page', async () => {
      const login = rig.headset.start(connectTo(rig.sshd, rig.running, ['id', '-un']));
      login.endInput();
      await sheetOf(page).waitFor();
      await approve(page);
      await login.ended;
      await rig.phone.run(['hosts', 'remove', `127.0.0.1:${rig.sshd.port}`]);
      const before = rig.logins();
      const again = rig.login(30);
      await enterCode(page, again);
      await sheetOf(page)
        .getByRole('switch', { name: /Remember/ })
        .click();
      await approve(page);
      expect((await again.ended).stdout).toBe('root\n');
      expect(rig.logins()).toBe(before + 1);
      const hosts = await rig.phone.run(['hosts', 'list']);
      expect(hosts.stdout).toContain(`127.0.0.1:${rig.sshd.port}`);
    });

    it('is in the page’s activity, with its receipt', async () => {
      await openTab(page, 'Activity');
      await expect
        .poll(() => page.getByRole('main').innerText())
        .toMatch(/root@127\.0\.0\.1[^]*signed/i);
    });

    it('works with an authenticator that signs extension data of hmac-secret', async () => {
      const other = await newPhoneContext(rig.browser);
      const tab = await other.newPage();
      await addAuthenticator(tab, { transport: 'usb', hasPrf: false, hasHmacSecret: true });
      await tab.goto(rig.running.origin);
      await pairPage(rig.phone, tab, 'Desk');
      await page.close();
      page = tab;
      context = other;
      await make('Sealed key', 'token');
      await logIn();
      const kept = await receipts();
      expect(hasExtensions(kept.at(-1)!.receipt)).toBe(true);
    });

    it('has no error in its pages', () => expect(problems).toEqual([]));

    it('leaves logs that fold to what happened', () => {
      expect(untold(rig.headset)).toEqual([]);
      const values = runsOf(rig.headset, 'connection').map(({ value, reason }) => reason ?? value);
      expect(new Set(values)).toEqual(new Set(['disconnected']));
    });
  },
);

describe.skipIf(lacking !== null)(
  `the phone’s page in a browser that ends and comes back${lacking === null ? '' : ` [skipped: ${lacking}]`}`,
  { timeout: 60_000 },
  () => {
    let rig: WebRig;
    beforeAll(async () => {
      rig = await webRig();
    });
    afterAll(() => rig?.end());

    it('keeps its pairing, and its sealed key opens', async () => {
      const authenticator = createPageAuthenticator();
      const profile = join(rig.bench.directory, 'profile');
      mkdirSync(profile);
      const open = async () => {
        const context = await openProfile(
          rig.bench.directory,
          profile,
          rig.bench.prefix,
          PHONE_SIZE,
        );
        await authenticator.install(context);
        const page = await context.newPage();
        await page.goto(rig.running.origin);
        return { context, page };
      };
      const first = await open();
      await pairPage(rig.phone, first.page);
      const line = await createInPage(first.page, 'Sealed key', 'plain');
      await rig.sshd.setAuthorizedKeys([line]);
      await first.context.close();

      const second = await open();
      await second.page.getByRole('navigation', { name: 'Tabs' }).waitFor();
      const login = rig.login();
      await sheetOf(second.page).waitFor();
      await approve(second.page);
      expect((await login.ended).stdout).toBe('root\n');

      authenticator.behaviour = { userVerified: false };
      const before = rig.logins();
      const unverified = rig.login();
      await sheetOf(second.page).waitFor();
      await approve(second.page);
      const { status, stderr } = await unverified.ended;
      expect(status).toBe(255);
      expect(stderr).toContain('The phone could not verify its owner.');
      expect(rig.logins()).toBe(before);
      await second.context.close();
    });

    it('says what to do where it is not the app: an iPhone’s Safari', async () => {
      const context = await rig.browser.newContext({
        viewport: PHONE_SIZE,
        userAgent:
          'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
      });
      const page = await context.newPage();
      await page.goto(`${rig.running.origin}/#/identities`);
      await page.getByRole('heading', { name: 'First, add it to the Home Screen' }).waitFor();
      expect(await page.getByRole('main').innerText()).toContain('storage of its own');
      await page.getByRole('button', { name: 'Pair this browser anyway' }).click();
      await page.getByLabel('Pairing code').waitFor();
      await context.close();
    });
  },
);
