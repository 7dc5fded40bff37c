import type { EventLog } from '../adapters/event-log/store.ts';

/** How soon what another process appended is noticed. Milliseconds. */
const PERIOD = 150;

/** Calls `changed` after other processes (or this one) appended to the log. Returns what ends it. */
export function watchLog(log: EventLog, changed: () => void): () => void {
  let seen = log.head();
  const timer = setInterval(() => {
    try {
      if (!log.changedSince(seen)) return;
      seen = log.head();
      changed();
    } catch {
      // A log that cannot be read: the next append says so, and ends the program.
    }
  }, PERIOD).unref();
  return () => clearInterval(timer);
}
