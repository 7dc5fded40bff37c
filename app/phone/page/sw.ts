/**
 * The page's worker. It keeps the shell, so that the page can say that `signer` is away; it never
 * touches what the two say to each other, and a push tells it nothing but that something waits.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Extendable {
  readonly notification: Notification;
}
interface Pushed extends Extendable {
  readonly data: { text(): string } | null;
}
interface WindowClient {
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
}
interface Worker {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    matchAll(of: { type: 'window'; includeUncontrolled: boolean }): Promise<WindowClient[]>;
    openWindow(address: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
  addEventListener(type: 'push', listener: (event: Pushed) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void;
}

const worker = globalThis as unknown as Worker;
const SHELL = 'shell';
const ROOT = '/';
/** As the build names what never changes. */
const hashed = /\/assets\/[\w.-]+/g;

/** Milliseconds after which a kept shell is better than a server that does not answer. */
const PATIENCE = 3_000;

worker.addEventListener('install', (event) => {
  event.waitUntil(freshRoot().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname === ROOT) event.respondWith(root());
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request));
});

/** From the network; from what is kept, when that does not answer. */
async function root(): Promise<Response> {
  const kept = await (await caches.open(SHELL)).match(ROOT);
  const fresh = freshRoot();
  if (kept === undefined) return fresh;
  const late = new Promise<Response>((resolve) => {
    setTimeout(() => resolve(kept), PATIENCE);
  });
  return Promise.race([fresh.catch(() => kept), late]);
}

/** Keeps it with all that it names, and nothing else. */
async function freshRoot(): Promise<Response> {
  const answer = await fetch(ROOT, { cache: 'no-cache' });
  if (!answer.ok) return answer;
  const shell = await caches.open(SHELL);
  const named = [...new Set((await answer.clone().text()).match(hashed) ?? [])];
  await Promise.all(
    named.map(async (path) => {
      if ((await shell.match(path)) === undefined) await shell.add(path);
    }),
  );
  const all = await shell.keys();
  const stale = all.filter(({ url }) => !named.includes(new URL(url).pathname));
  await Promise.all(stale.map((request) => shell.delete(request)));
  await shell.put(ROOT, answer.clone());
  return answer;
}

async function asset(request: Request): Promise<Response> {
  const kept = await (await caches.open(SHELL)).match(request);
  return kept ?? fetch(request);
}

worker.addEventListener('push', (event) => {
  // The payload is an opaque id: one request is one notification, however often it is told.
  const tag = event.data?.text().slice(0, 64) ?? 'request';
  event.waitUntil(
    worker.registration.showNotification('A sign request is waiting', {
      body: 'Open Remote Signer to look at it.',
      icon: '/icons/apple-touch-icon.png',
      tag,
    }),
  );
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(focusPage());
});

async function focusPage(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find((one) => one.visibilityState === 'visible') ?? pages[0];
  await (page === undefined ? worker.clients.openWindow(ROOT) : page.focus());
}
