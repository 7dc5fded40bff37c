/** The page with `fake-phone.ts` in the place of its phone, served as `signer` serves it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { securityHeaders } from '../../adapters/phone-page/headers.ts';
import { filesBelow } from '../../app/phone/web/page-files.ts';
import type { Fake } from './fake-phone.ts';
import { NOW, type Scene } from './scenes.ts';

const root = resolve('app/phone/page');
const ownPhone = join(root, 'core/phone.ts');
const fakePhone = resolve('test/phone-page/fake-phone.ts');

/** Builds into `folder`. */
export async function buildScreens(folder: string): Promise<void> {
  const before = process.env['NODE_ENV'];
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    configLoader: 'native',
    mode: 'production',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
    plugins: [
      {
        name: 'fake-phone',
        enforce: 'pre',
        resolveId: (id, importer) =>
          importer !== undefined && resolve(importer, '..', id) === ownPhone ? fakePhone : null,
      },
    ],
  });
  if (before !== undefined) process.env['NODE_ENV'] = before;
}

export interface ServedScreens {
  readonly origin: string;
  close(): void;
}

export async function serveScreens(folder: string): Promise<ServedScreens> {
  const find = filesBelow(folder);
  let headers: Record<string, string> = {};
  const server = createServer((request, answer) => {
    const file = find(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (file === null) {
      answer.writeHead(404).end();
      return;
    }
    answer.writeHead(200, { ...headers, 'Content-Type': file.type }).end(file.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  headers = securityHeaders(origin);
  return { origin, close: () => server.close() };
}

export interface OpenScreens {
  readonly page: Page;
  /** What the page complained about, in its console and by errors. */
  readonly complaints: string[];
  show(scene: Scene): Promise<void>;
  /** What the screens called, but for `sheetShown`. */
  calls(): Promise<unknown[][]>;
  shown(): Promise<unknown[][]>;
  set(answers: Partial<Fake['answers']>): Promise<void>;
}

export interface Look {
  width?: number;
  height?: number;
  dark?: boolean;
  hash?: string;
  scale?: number;
  /** With its worker. */
  isWorking?: boolean;
  /** Its time goes on only by `page.clock`. */
  isTimed?: boolean;
}

export async function openScreens(
  browser: Browser,
  origin: string,
  scene: Scene,
  {
    width = 390,
    height = 844,
    dark = false,
    hash = '',
    scale = 1,
    isWorking = false,
    isTimed = false,
  }: Look = {},
): Promise<OpenScreens> {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'UTC',
    serviceWorkers: isWorking ? 'allow' : 'block',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isWrong = message.type() === 'error' || message.type() === 'warning';
    if (isWrong && !message.text().includes('blocked by Playwright'))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript({ path: resolve('test/support/in-page.js') });
  await page.addInitScript(`globalThis.firstScene = ${JSON.stringify(scene)}`);
  if (isTimed) {
    await page.clock.install({ time: NOW });
    await page.clock.pauseAt(NOW + 1000);
  }
  await page.goto(`${origin}/${hash}`);
  await page.waitForSelector('h1');
  const calls = () => page.evaluate<unknown[][]>('fake.calls');
  return {
    page,
    complaints,
    async show(next) {
      await page.evaluate(`fake.show(${JSON.stringify(next)})`);
    },
    calls: async () => (await calls()).filter(([name]) => name !== 'sheetShown'),
    shown: async () => (await calls()).filter(([name]) => name === 'sheetShown'),
    async set(answers) {
      await page.evaluate(`Object.assign(fake.answers, ${JSON.stringify(answers)})`);
    },
  };
}
