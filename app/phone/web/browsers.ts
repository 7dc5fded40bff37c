/** The browsers that are this phone's page: projections of the event log, and what changes them. */
import { randomUUID } from 'node:crypto';
import type { Append, EventLog } from '../../../adapters/event-log/store.ts';

export interface PairedBrowser {
  id: string;
  /** As its person called it: foreign text. */
  name: string;
  /** Raw point of its device key, base64url. */
  publicKey: string;
  pairedAt: number;
}

export function pairedBrowsers(log: EventLog): PairedBrowser[] {
  return log.streams('browser/').flatMap((stream) => {
    let browser: PairedBrowser | null = null;
    for (const { type, data, at } of log.read(stream)) {
      if (type === 'browser.paired') {
        browser = { ...(data as Omit<PairedBrowser, 'pairedAt'>), pairedAt: at };
      }
      if (type === 'browser.removed') browser = null;
    }
    return browser === null ? [] : [browser];
  });
}

/** A browser with an id of its own, and the append that pairs it. */
export function newBrowser({ name, publicKey }: { name: string; publicKey: string }): {
  id: string;
  append: Append;
} {
  const id = randomUUID();
  const events = [{ type: 'browser.paired', data: { id, name, publicKey } }];
  return { id, append: { stream: `browser/${id}`, expectedVersion: 0, events } };
}

export function removeBrowser(log: EventLog, id: string): void {
  log.append(`browser/${id}`, 'any', [{ type: 'browser.removed' }]);
}
