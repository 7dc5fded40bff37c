/** The phone's page as its person uses it: `signer start --web`, a browser, and taps. */
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { openBrowser } from './browser.ts';
import { createBench, type Bench, type Device, type RunningProgram } from './program-driver.ts';
import { connectTo, knowHost, pair, shownCode, type Phone } from './program-story.ts';
import { startSshd, type Sshd } from './sshd.ts';

/** An iPhone's, in CSS pixels. */
export const PHONE_SIZE = { width: 390, height: 844 };

export interface WebPhone extends Phone {
  readonly origin: string;
}

/** `signer start --web --name localhost`, on a port of its own. */
export async function startWebPhone(
  phone: Device,
  { webPort = 47_823, port = 0 } = {},
): Promise<WebPhone> {
  const running = phone.start([
    'start',
    '--listen',
    '127.0.0.1',
    '--port',
    String(port),
    '--web',
    '--name',
    'localhost',
    '--web-port',
    String(webPort),
  ]);
  const [, listening = ''] = await running.expect(/listening on port (\d+)/, 60_000);
  const [, origin = ''] = await running.expect(/page is at (\S+)/);
  return {
    ...running,
    address: `127.0.0.1:${listening}`,
    origin,
    answer: never,
    answerCode: never,
  };
}

const never = () => Promise.reject(new Error('this phone is answered in its page'));

/** A browser of its own storage, as large as a phone. */
export function newPhoneContext(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ viewport: PHONE_SIZE, hasTouch: true, deviceScaleFactor: 2 });
}

export interface VirtualAuthenticator {
  readonly id: string;
  readonly cdp: CDPSession;
  /** Whether its owner lets themselves be verified from now on. */
  verifies(does: boolean): Promise<void>;
}

/** Chromium's own: one that is in the phone, verifies its owner at once, and knows PRF. */
export async function addAuthenticator(
  page: Page,
  options: Record<string, unknown> = {},
): Promise<VirtualAuthenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId: id } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf: true,
      ...options,
    },
  });
  return {
    id,
    cdp,
    verifies: async (isUserVerified) =>
      void (await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified })),
  };
}

/** `signer web pair` shows the code; the person types it into the page. */
export async function pairPage(phone: Device, page: Page, name = 'iPhone'): Promise<void> {
  const asking = phone.start(['web', 'pair']);
  const [, left = '', right = ''] = await asking.expect(/ ([0-9A-Z]{4})-([0-9A-Z]{4})\n/);
  await page.getByLabel('Pairing code').fill(`${left.toLowerCase()} ${right}`);
  await page.getByLabel(/^Name of this/).fill(name);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await asking.expect(`paired with ${name}`);
  await asking.ended;
  await page.getByRole('navigation', { name: 'Tabs' }).waitFor();
}

export const openTab = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Tabs' }).getByRole('link', { name }).click();

/** Makes an identity in the page; its line for authorized_keys. */
export async function createInPage(
  page: Page,
  kind: 'Passkey' | 'Sealed key',
  label: string,
): Promise<string> {
  await openTab(page, 'Identities');
  await page.getByRole('link', { name: 'Create an identity' }).first().click();
  await page.getByRole('radio', { name: new RegExp(`^${kind}`) }).check();
  await page.getByLabel('Name', { exact: true }).fill(label);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  if (kind === 'Sealed key') await page.getByRole('button', { name: 'Seal the key' }).click();
  await page.getByRole('heading', { name: 'Identity created' }).waitFor();
  const line = await page.locator('code.line').innerText();
  await page.getByRole('link', { name: 'Done' }).click();
  return line.trim();
}

export const sheetOf = (page: Page) => page.getByRole('dialog', { name: 'SSH Sign Request' });
export const approveButton = (page: Page) =>
  sheetOf(page).getByRole('button', { name: /^Approve/ });
export const denyButton = (page: Page) => sheetOf(page).getByRole('button', { name: /^Deny/ });

/** Types the headset's code where the sheet wants it. */
export async function enterCode(page: Page, headset: RunningProgram): Promise<void> {
  const field = sheetOf(page).getByLabel(/^Type the two digits/);
  await field.fill(await shownCode(headset));
}

/** Waits until a tap counts, and taps. */
export async function approve(page: Page): Promise<void> {
  await approveButton(page).and(page.locator(':not([aria-disabled])')).waitFor();
  // A tap counts for what was on screen for 700 ms.
  await page.waitForTimeout(750);
  await approveButton(page).click();
}

export async function deny(page: Page): Promise<void> {
  await denyButton(page).waitFor();
  await page.waitForTimeout(750);
  await denyButton(page).click();
}

/** What the page says became of the last sheet. */
export const endOf = (page: Page) => page.locator('.toast').innerText();

export interface WebRig {
  readonly bench: Bench;
  readonly headset: Device;
  readonly phone: Device;
  readonly sshd: Sshd;
  readonly browser: Browser;
  running: WebPhone;
  /** Successful public key logins at the server so far. */
  logins(): number;
  /** Logs in by way of the phone; `timeout` in seconds. */
  login(timeout?: number): RunningProgram;
  end(): Promise<void>;
}

/** A server, a paired headset, a phone that serves its page, and a browser. The phone knows the server. */
export async function webRig(): Promise<WebRig> {
  const bench = createBench();
  const headset = bench.device('vmux');
  const phone = bench.device('signer');
  const sshd = await startSshd({ prefix: bench.prefix });
  const browser = await openBrowser(bench.directory, bench.prefix);
  await pair(headset, phone);
  await knowHost(phone, sshd);
  const rig: WebRig = {
    bench,
    headset,
    phone,
    sshd,
    browser,
    running: await startWebPhone(phone),
    logins: () => sshd.log().split('Accepted publickey').length - 1,
    login(timeout = 10) {
      const options = ['--timeout', String(timeout)];
      const program = headset.start(connectTo(sshd, rig.running, ['id', '-un'], options));
      program.endInput();
      return program;
    },
    async end() {
      await browser.close();
      await bench.clear();
      await sshd.stop();
    },
  };
  return rig;
}
