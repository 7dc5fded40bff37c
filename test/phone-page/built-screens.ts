/** The page with `fake-phone.ts` in the place of its phone, served as `signer` serves it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { filesBelow } from '../../app/phone/web/page-files.ts';
import type { Fake } from './fake-phone.ts';
import type { Scene } from './scenes.ts';

const root = resolve('app/phone/page');
const ownPhone = join(root, 'core/phone.ts');
const fakePhone = resolve('test/phone-page/fake-phone.ts');

/** What the page's own server says of what the page may do. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types worker',
].join('; ');

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
  const server = createServer((request, answer) => {
    const file = find(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (file === null) {
      answer.writeHead(404).end();
      return;
    }
    answer
      .writeHead(200, { 'Content-Type': file.type, 'Content-Security-Policy': policy })
      .end(file.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://localhost:${port}`, close: () => server.close() };
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
}

export async function openScreens(
  browser: Browser,
  origin: string,
  scene: Scene,
  { width = 390, height = 844, dark = false, hash = '', scale = 1 }: Look = {},
): Promise<OpenScreens> {
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'UTC',
    serviceWorkers: 'block',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(`globalThis.firstScene = ${JSON.stringify(scene)}`);
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
