import { globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { paths } from '../../adapters/phone-page/protocol.ts';
import { builtPage } from '../../app/phone/web/build-page.ts';
import { pageFiles } from '../../app/phone/web/page-files.ts';

/** Bytes of script after gzip, whether the page loads it at once or later. */
const LIMIT = 60_000;

const ORIGIN = 'https://phone.example:47823';

const namespaces = [
  'http://www.w3.org/1998/Math/MathML',
  'http://www.w3.org/1999/xhtml',
  'http://www.w3.org/1999/xlink',
  'http://www.w3.org/2000/svg',
];

/** Addresses with a host, also those that inherit the scheme, or are put together in a template. */
const withHost = [
  /\b(?:https?|wss?|ftp):\\?\/\\?\/[^\s"'`)<>]*/gi,
  /(?<=["'`(=,\s])\/\/(?:[\w[]|\$\{)[^\s"'`)<>]*/g,
];

/** The page's texts by their names in the folder of its build. */
const texts = new Map<string, string>();

beforeAll(async () => {
  const folder = await builtPage();
  const served = await pageFiles();
  for (const name of globSync('**/*.*', { cwd: folder })) {
    // All that is built is what is served: nothing is missed here, and nothing is measured for show.
    const path = name === 'index.html' ? '/' : `/${name}`;
    const body = readFileSync(join(folder, name));
    expect([name, served(path)?.body]).toEqual([name, new Uint8Array(body)]);
    if (extname(name) !== '.png') texts.set(name, body.toString());
  }
}, 60_000);

const hostsIn = (text: string) => withHost.flatMap((address) => text.match(address) ?? []);

it('has at most 60 kB of script, compressed, with its worker and all that it loads later', () => {
  const scripts = [...texts].filter(([name]) => extname(name) === '.js');
  expect(scripts.map(([name]) => name)).toContain('sw.js');
  expect(scripts.map(([name]) => name)).toContainEqual(expect.stringMatching(/^assets\/main-/));
  const sizes = scripts.map(([, text]) => gzipSync(text, { level: 9 }).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(LIMIT);
});

it('names no other origin in any of its files', () => {
  const named = [...texts].flatMap(([name, text]) =>
    hostsIn(text).map((address) => ({ name, address })),
  );
  expect(named.filter(({ address }) => !namespaces.includes(address))).toEqual([]);
});

it('would find another origin', () => {
  for (const text of [
    'fetch("https://cdn.example/x.js")',
    'url(//fonts.example/a.woff2)',
    '<script src="//cdn.example/x.js">',
    '<img src=//cdn.example/x.png>',
    'new WebSocket(`wss://${host}/socket`)',
    'fetch(`//${host}/x`)',
    String.raw`{"u":"https:\/\/cdn.example\/x"}`,
  ]) {
    expect(hostsIn(text), text).toHaveLength(1);
  }
  expect(hostsIn('a // b\n/* c */ "/assets/x.js"')).toEqual([]);
});

interface Dispatched {
  request?: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}

/** The built worker in a world whose server answers each path with `bodies`, else with a secret. */
function startWorker(bodies: Record<string, string>) {
  const kept = new Map<string, Response>();
  const fetched: string[] = [];
  const listeners = new Map<string, (event: Dispatched) => void>();
  const urlOf = (of: string | Request) =>
    new URL(typeof of === 'string' ? of : of.url, `${ORIGIN}/`).href;
  async function fetch(of: string | Request): Promise<Response> {
    fetched.push(urlOf(of));
    return new Response(bodies[new URL(urlOf(of)).pathname] ?? 'secret');
  }
  const cache = {
    match: async (of: string | Request) => kept.get(urlOf(of))?.clone(),
    add: async (of: string | Request) => void kept.set(urlOf(of), await fetch(of)),
    addAll: (all: string[]) => Promise.all(all.map((of) => cache.add(of))),
    put: async (of: string | Request, answer: Response) => void kept.set(urlOf(of), answer),
    keys: async () => [...kept.keys()].map((url) => new Request(url)),
    delete: async (of: string | Request) => kept.delete(urlOf(of)),
  };
  runInNewContext(texts.get('sw.js') ?? '', {
    addEventListener: (type: string, listener: (event: Dispatched) => void) =>
      listeners.set(type, listener),
    caches: { open: async () => cache, match: cache.match },
    clients: { claim: async () => {} },
    skipWaiting: async () => {},
    location: new URL(ORIGIN),
    fetch,
    setTimeout,
    URL,
    Request,
    Response,
  });
  return {
    fetched,
    keptPaths: () => [...kept.keys()].map((url) => new URL(url).pathname).toSorted(),
    /** What the worker answers with; `null`: it leaves the request to the browser. */
    async tell(type: string, request?: Request): Promise<Response | null> {
      const works: Promise<unknown>[] = [];
      let answer: Promise<Response> | null = null;
      listeners.get(type)?.({
        ...(request !== undefined && { request }),
        waitUntil: (work) => void works.push(work),
        respondWith: (with_) => void (answer = with_),
      });
      await Promise.all(works);
      return answer;
    },
  };
}

it('keeps its shell in the worker, and nothing below /api', async () => {
  const worker = startWorker({
    '/': `<script src="/assets/main-1.js"></script><link href="/assets/style-1.css">
      <a href="${paths.session}">in</a><a href="/api/assets-1.js">in</a>`,
    '/assets/main-1.js': 'main',
    '/assets/style-1.css': 'style',
  });
  const shell = ['/', '/assets/main-1.js', '/assets/style-1.css'];
  await worker.tell('install');
  await worker.tell('activate');
  expect(worker.keptPaths()).toEqual(shell);
  const get = (path: string) => worker.tell('fetch', new Request(new URL(path, ORIGIN)));
  expect(await (await get('/assets/main-1.js'))?.text()).toBe('main');
  expect(await get('/')).not.toBeNull();

  worker.fetched.splice(0);
  const below = [...Object.values(paths), '/api', '/api/', '/api/anything?x=/assets/main-1.js'];
  expect(Object.values(paths).every((path) => path.startsWith('/api/'))).toBe(true);
  for (const path of [...below, '/assets/../api/session', '/assets/%2e%2e/api/session']) {
    expect(await get(path), path).toBeNull();
    const posted = new Request(new URL(path, ORIGIN), { method: 'POST', body: 'proof' });
    expect(await worker.tell('fetch', posted), path).toBeNull();
  }
  expect(worker.fetched).toEqual([]);
  expect(worker.keptPaths()).toEqual(shell);
});
