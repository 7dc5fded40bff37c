/** The relay's page in Chromium, with a stand-in for stately.ai made of the package's own receiver. */
import { existsSync, readFileSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectedMachines, machinesOf } from '../../app/inspector/machines.ts';
import { startStatelyRelay } from '../../app/inspector/stately/start-relay.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';
import { recordLogin } from './recorded-login.ts';

const state = (page: Page) => page.locator('#state').textContent();
const executablePath = '/usr/bin/chromium';
const source = readFileSync(
  new URL('../../node_modules/@statelyai/inspect/dist/index.mjs', import.meta.url),
  'utf8',
);
const guard = /function isStatelyInspectionEvent[\s\S]*?\n}/.exec(source)?.[0] ?? '';
const receiver =
  /const defaultBrowserReceiverOptions[\s\S]*?return receiver;\n}/.exec(source)?.[0] ?? '';
/** The package's receiver itself, cut out of its bundle, whose other parts need Node's modules. */
const standIn = `<!doctype html><script>
const CONNECTION_EVENT = '@statelyai.connected';
const toObserver = (next) => ({ next });
${guard}
${receiver}
window.got = [];
window.addEventListener('message', () => { window.messages = (window.messages ?? 0) + 1; });
createBrowserReceiver({}).subscribe((message) => window.got.push(message));
</script>`;

describe.skipIf(!existsSync(executablePath))('the page', () => {
  let browser: Awaited<ReturnType<typeof chromium.launch>>;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
  });
  afterAll(() => browser.close());
  async function opened(answer: (page: Page) => Promise<unknown>) {
    const all = await inspectedMachines();
    const login = await recordLogin();
    const relay = await startStatelyRelay({
      home: temporaryDirectory(),
      sources: [login.headset, login.phone].map(({ device, log }) => ({
        device,
        log,
        machines: machinesOf(device, all),
      })),
    });
    const page = await (
      await browser.newContext({ viewport: { width: 1280, height: 800 } })
    ).newPage();
    const asked: string[] = [];
    const troubles: string[] = [];
    page.on('request', (r) => asked.push(r.url()));
    page.on('console', (m) => {
      if (m.type() === 'error') troubles.push(m.text());
    });
    page.on('pageerror', (e) => troubles.push(String(e)));
    await answer(page);
    await page.goto(relay.address);
    await page.waitForURL(`${relay.pages}/`);
    return { relay, page, asked, troubles };
  }
  const button = 'Show it in Stately’s inspector';

  it('sends nothing before the button, and then the actors and snapshots in order', async () => {
    const { relay, page, asked, troubles } = await opened((p) =>
      p.route('https://stately.ai/**', (r) =>
        r.fulfill({ contentType: 'text/html', body: standIn }),
      ),
    );
    await page.getByRole('button', { name: button }).waitFor();
    expect(asked.filter((u) => u.includes('stately.ai') || u.endsWith('/events'))).toEqual([]);
    if (process.env['SHOT']) await page.screenshot({ path: `${process.env['SHOT']}-before.png` });
    await page.getByRole('button', { name: button }).click();
    await expect.poll(() => state(page)).toMatch(/^\d\d+ messages sent/);
    const frame = page.frames().find((f) => f.url() === 'https://stately.ai/inspect');
    const sent = async () => Number((await state(page))?.split(' ')[0]);
    await expect
      .poll(async () => (await frame?.evaluate('got.length')) === (await sent()))
      .toBe(true);
    const got = (await frame?.evaluate('got')) as {
      type: string;
      sessionId: string;
      event?: { type: string };
    }[];
    const of = got.filter(({ sessionId }) => sessionId === 'headset connection 1');
    expect(of[0]?.type).toBe('@xstate.actor');
    expect(
      of
        .filter(({ type }) => type === '@xstate.event')
        .map((m) => m.event?.type)
        .slice(0, 3),
    ).toEqual(['xstate.init', 'user.connect', 'ssh.resolved']);
    expect(of.at(-2)?.event?.type).toBe('app.stopped');
    if (process.env['SHOT']) await page.screenshot({ path: `${process.env['SHOT']}-after.png` });
    await page.getByRole('button', { name: 'Stop sending' }).click();
    expect(page.frames()).toHaveLength(1);
    expect(troubles).toEqual([]);
    await page.context().close();
    await relay.close();
  });
  it('gives nothing to a viewer at another origin', async () => {
    const { relay, page, asked } = await opened(async (p) => {
      await p.route('https://stately.ai/**', (r) =>
        r.fulfill({ status: 302, headers: { location: 'https://evil.example/' } }),
      );
      await p.route('https://evil.example/**', (r) =>
        r.fulfill({ contentType: 'text/html', body: standIn }),
      );
    });
    await page.getByRole('button', { name: button }).click();
    // As a frame of another origin would, were it let in; and as another window of the right name would.
    await page.evaluate("window.postMessage({ type: '@statelyai.connected' }, '*')");
    await expect
      .poll(() => state(page), { timeout: 15_000 })
      .toMatch(/^stately\.ai did not answer; vmux inspect/);
    expect(asked.filter((u) => u.endsWith('/events'))).toEqual([]);
    await page.context().close();
    await relay.close();
  });
  it('says so in words when there is no network', async () => {
    const { relay, page, asked } = await opened((p) =>
      p.route('https://stately.ai/**', (r) => r.abort()),
    );
    await page.getByRole('button', { name: button }).click();
    await expect
      .poll(() => state(page), { timeout: 15_000 })
      .toMatch(/^stately\.ai did not answer/);
    expect(asked.filter((u) => u.endsWith('/events'))).toEqual([]);
    await page.context().close();
    await relay.close();
  });
});
