import type { EventLog } from '../../adapters/event-log/store.ts';
import { newBrowser } from '../../app/phone/web/browsers.ts';

/** A browser that was paired without a page; its id. */
export function addBrowser(log: EventLog, browser: { name: string; publicKey: string }): string {
  const { id, append } = newBrowser(browser);
  log.appendMany([append]);
  return id;
}
