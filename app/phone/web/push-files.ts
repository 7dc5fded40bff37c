/**
 * What waking needs to keep secret, below `web/` in the state directory, 0600: the VAPID keys, and
 * a subscription for each browser that has it turned on.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readSubscription, type PushSubscription } from '../../../adapters/push/subscription.ts';
import { createVapidKeys, readVapidKeys, type VapidKeys } from '../../../adapters/push/vapid.ts';
import { createPrivateFile, readPrivateFile } from '../../home.ts';
import { Trouble } from '../../trouble.ts';

const keysFile = (home: string) => join(home, 'web', 'push.json');
const folder = (home: string) => join(home, 'web', 'push');

/** Reads them, or makes them on first use. @throws {Trouble} `stateUnusable` */
export function vapidKeys(home: string): VapidKeys {
  const path = keysFile(home);
  const text = readPrivateFile(path);
  if (text !== null) {
    const keys = readVapidKeys(parsed(text));
    if (keys !== null) return keys;
    throw new Trouble('stateUnusable', 'web/push.json is damaged; remove it');
  }
  makeFolder(home);
  const keys = createVapidKeys();
  return createPrivateFile(path, `${JSON.stringify(keys)}\n`) ? keys : vapidKeys(home);
}

/** Ids of the browsers that have a subscription here, intact or not. */
export function subscribedBrowsers(home: string): string[] {
  try {
    return readdirSync(folder(home)).flatMap((name) => /^([\w-]+)\.json$/.exec(name)?.[1] ?? []);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

/** `null` when there is none, or it is damaged. */
export function subscriptionOf(home: string, browserId: string): PushSubscription | null {
  const text = readPrivateFile(subscriptionFile(home, browserId));
  return text === null ? null : readSubscription(parsed(text));
}

/** In place of the one that there was. @throws {Trouble} `stateUnusable` */
export function keepSubscription(
  home: string,
  browserId: string,
  { endpoint, keys: { p256dh, auth } }: PushSubscription,
): void {
  makeFolder(home);
  dropSubscription(home, browserId);
  const text = JSON.stringify({ endpoint, keys: { p256dh, auth } });
  createPrivateFile(subscriptionFile(home, browserId), `${text}\n`);
}

/** @throws {Trouble} `stateUnusable` */
export function dropSubscription(home: string, browserId: string): void {
  try {
    rmSync(subscriptionFile(home, browserId), { force: true });
  } catch (error) {
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

/** Ids are our own (`addBrowser`): one that is no file's name is a bug. */
function subscriptionFile(home: string, browserId: string): string {
  if (!/^[\w-]{1,64}$/.test(browserId)) throw new TypeError('not the id of a browser');
  return join(folder(home), `${browserId}.json`);
}

function makeFolder(home: string): void {
  try {
    mkdirSync(folder(home), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
