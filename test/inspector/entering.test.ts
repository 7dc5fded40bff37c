import { describe, expect, it, onTestFinished } from 'vitest';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';
import { redirectFilesIn, startedInspector } from './inspector-client.ts';
import { recordLogin } from './recorded-login.ts';

async function opened() {
  const { headset } = await recordLogin();
  const client = await startedInspector(headset.source);
  const browser = await openBrowser(temporaryDirectory());
  onTestFinished(() => browser.close());
  return { client, browser };
}

describe.skipIf(chromiumMissing !== null)('a real browser', () => {
  it('comes in by the file, with a strict cookie, and leaves no token in its address', async () => {
    const { client, browser } = await opened();
    const page = await browser.newPage();
    await page.goto(client.inspector.address);
    await page.waitForFunction(() => Reflect.get(globalThis, 'document').body.dataset.ready);
    expect(page.url()).toMatch(new RegExp(`^${client.inspector.pages}/(#.*)?$`));
    expect(redirectFilesIn(client.home)).toEqual([]);
    const [cookie, ...more] = await page.context().cookies();
    expect(more).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', expires: -1 });
  });

  it('sends its cookie to no other port of 127.0.0.1, though cookies know no ports', async () => {
    const { client, browser } = await opened();
    const seen: (string | undefined)[] = [];
    const other = createServer(({ headers }, response) => {
      seen.push(headers.cookie);
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>other</title>');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const page = await (await browser.newContext()).newPage();
    await page.goto(client.inspector.address);
    await page.waitForFunction(() => Reflect.get(globalThis, 'document').body.dataset.ready);
    const { port } = other.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(() => fetch('/grab', { credentials: 'include' }));
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.filter((cookie) => cookie !== undefined)).toEqual([]);
  });

  it('gets nothing for a page of another origin, not even with the cookie', async () => {
    const { client, browser } = await opened();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(client.inspector.address);
    await page.waitForFunction(() => Reflect.get(globalThis, 'document').body.dataset.ready);
    const { pages } = client.inspector;
    const elsewhere = await context.newPage();
    await elsewhere.route('http://127.0.0.1:1/*', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>other</title>' }),
    );
    await elsewhere.goto('http://127.0.0.1:1/');
    const outcomes = await elsewhere.evaluate(async (target) => {
      const attempt = (init: RequestInit) =>
        fetch(`${target}/api/opening`, { credentials: 'include', ...init }).then(
          async (reply) => `${reply.type} ${reply.status} ${(await reply.text()).length}`,
          () => 'failed',
        );
      return [
        await attempt({}),
        await attempt({ mode: 'no-cors' }),
        await attempt({ method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: '{}' }),
      ];
    }, pages);
    expect(outcomes).toEqual(['failed', 'failed', 'failed']);
    const linked = await context.newPage();
    await linked.route('http://127.0.0.1:1/*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<!doctype html><title>other</title><a href="${pages}/">there</a>`,
      }),
    );
    await linked.goto('http://127.0.0.1:1/');
    await linked.click('a');
    await linked.waitForURL(`${pages}/`);
    expect(await linked.textContent('body')).toContain('another page may not ask this one');
  });
});
