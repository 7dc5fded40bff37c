/** The browsers that are this phone's page: projections of the event log, and what changes them. */
import { randomUUID } from 'node:crypto';
import type { EventLog } from '../../../adapters/event-log/store.ts';

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

/** Returns its id. */
export function addBrowser(
  log: EventLog,
  { name, publicKey }: { name: string; publicKey: string },
) {
  const id = randomUUID();
  log.append(`browser/${id}`, 0, [{ type: 'browser.paired', data: { id, name, publicKey } }]);
  return id;
}

export function removeBrowser(log: EventLog, id: string): void {
  log.append(`browser/${id}`, 'any', [{ type: 'browser.removed' }]);
}
