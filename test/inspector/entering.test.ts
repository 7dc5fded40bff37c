import { describe, expect, it, onTestFinished } from 'vitest';
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
    expect(page.url()).toMatch(new RegExp(`^${client.inspector.origin}/(#.*)?$`));
    expect(redirectFilesIn(client.home)).toEqual([]);
    const [cookie, ...more] = await page.context().cookies();
    expect(more).toEqual([]);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', expires: -1 });
  });

  it('gets nothing for a page of another origin, not even with the cookie', async () => {
    const { client, browser } = await opened();
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(client.inspector.address);
    await page.waitForFunction(() => Reflect.get(globalThis, 'document').body.dataset.ready);
    const { origin } = client.inspector;
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
    }, origin);
    expect(outcomes).toEqual(['failed', 'failed', 'failed']);
    const linked = await context.newPage();
    await linked.route('http://127.0.0.1:1/*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<!doctype html><title>other</title><a href="${origin}/">there</a>`,
      }),
    );
    await linked.goto('http://127.0.0.1:1/');
    await linked.click('a');
    await linked.waitForURL(`${origin}/`);
    expect(await linked.textContent('body')).toContain('another page may not ask this one');
  });
});
