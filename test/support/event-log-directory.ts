import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { openEventLog, type EventLog } from '../../adapters/event-log/store.ts';

/** A directory that is gone when the test has finished. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A path for a log in a directory that does not exist yet. */
export function logFile(): string {
  return join(temporaryDirectory(), 'state', 'log.db');
}

/** Closed when the test has finished. */
export function openLog(file = logFile()): EventLog {
  const log = openEventLog(file);
  onTestFinished(() => log.close());
  return log;
}

export function contentOf(envelopes: Iterable<Envelope>): Pick<Envelope, 'type' | 'data'>[] {
  return [...envelopes].map(({ type, data }) => ({ type, data }));
}

/** What `work` throws; fails the test when it does not throw. */
export function errorOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
