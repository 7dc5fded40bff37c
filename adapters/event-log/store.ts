import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './database.ts';
import { fromRow, toRow, type Envelope, type Row } from './envelope.ts';
import { EventIdReused, LogInconsistent, withLogErrors, WrongExpectedVersion } from './errors.ts';
import { encodeJson } from './json.ts';

/** 0: the stream must not exist. A number: it must be at this version. */
export type ExpectedVersion = number | 'any';

export interface NewEvent {
  /** Default: a random UUID. Appending the same event under the same id again changes nothing. */
  id?: string;
  type: string;
  /** Version of the schema of `data`; default 1. */
  v?: number;
  /** What JSON can give back (`encodeJson`); default `null`. */
  data?: unknown;
}

export interface Append {
  stream: string;
  expectedVersion: ExpectedVersion;
  events: readonly NewEvent[];
}

/**
 * An append-only log of events in one SQLite file that several processes may share.
 *
 * Every method may throw `LogUnavailable` or `LogInconsistent`. Everything is synchronous; an append
 * waits at most 5 s for the other processes' appends.
 */
export interface EventLog {
  readonly file: string;
  /**
   * Appends all of the events or none, and returns once they are on the disk, with the version of
   * the last one. Throws `WrongExpectedVersion`, `EventIdReused`, `UnrecordableEvent`.
   */
  append(stream: string, expectedVersion: ExpectedVersion, events: readonly NewEvent[]): number;
  /** The same for several streams in one transaction: all or none. */
  appendMany(appends: readonly Append[]): number[];
  /** A stream's events in order; nothing when it does not exist. */
  read(stream: string): IterableIterator<Envelope>;
  /** All events after `afterSeq` (default 0) in the log's order. */
  readAll(afterSeq?: number): IterableIterator<Envelope>;
  /** Names of the streams that start with `prefix`, in the order in which they began. */
  streams(prefix?: string): string[];
  /** The same, without those that hold an event of one of these types. */
  streamsWithout(prefix: string, types: readonly string[]): string[];
  /** `seq` of the last event; 0 when there is none. */
  head(): number;
  /** Whether there are events after `seq`, whoever appended them. Cheap enough for a poll. */
  changedSince(seq: number): boolean;
  /** Reads everything there is, and what SQLite keeps beside it. Throws at the first fault. */
  verify(): void;
  /** Moves what it can from the WAL into the file without waiting: for idle moments. */
  checkpoint(): void;
  /** Ends with a checkpoint when this is the last process at the log. May be called twice. */
  close(): void;
}

const PAGE = 500;

/**
 * Opens the event log, and makes it when there is none.
 *
 * Throws `LogFromNewerProgram`, `LogInconsistent`, `LogUnavailable`. With `readOnly` the file must
 * exist, and appending throws `LogUnavailable`.
 */
export function openEventLog(file: string, options: { readOnly?: boolean } = {}): EventLog {
  const db = openDatabase(file, options.readOnly ?? false);
  try {
    return withLogErrors(file, () => overDatabase(db, file));
  } catch (error) {
    db.close();
    throw error;
  }
}

function overDatabase(db: DatabaseSync, file: string): EventLog {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const insert = db.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)');
  const lastSeq = db.prepare('SELECT coalesce(max(seq), 0) AS n FROM event');
  const lastVersion = db.prepare(
    'SELECT coalesce(max(version), 0) AS n FROM event WHERE stream = ?',
  );
  const byId = db.prepare('SELECT * FROM event WHERE id = ?');
  const pageOfStream = db.prepare(
    `SELECT * FROM event WHERE stream = ? AND version > ? ORDER BY version LIMIT ${PAGE}`,
  );
  const pageOfAll = db.prepare(`SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`);
  const below = 'version = 1 AND stream >= @prefix AND stream < @beyond';
  const names = db.prepare(`SELECT stream FROM event WHERE ${below} ORDER BY seq`);
  const namesWithout = db.prepare(
    `SELECT stream FROM event AS first WHERE ${below} AND NOT EXISTS (
       SELECT 1 FROM event WHERE stream = first.stream AND type IN (SELECT value FROM json_each(@types))
     ) ORDER BY seq`,
  );

  const guarded = <T>(work: () => T): T => withLogErrors(file, work);
  const head = (): number => number(lastSeq.get());

  function* pages(next: (after: number) => unknown[], place: 'seq' | 'version', after: number) {
    for (let last = after; ;) {
      const rows = guarded(() => next(last)) as Row[];
      for (const row of rows) {
        const envelope = fromRow(row);
        if (envelope[place] !== last + 1) {
          throw new LogInconsistent(
            `${file}: ${place} ${last + 1} is missing before event ${row.seq}`,
          );
        }
        last = envelope[place];
        yield envelope;
      }
      if (rows.length < PAGE) return;
    }
  }

  function appendedBefore(stream: string, events: readonly NewEvent[]): number | null {
    let version: number | null = null;
    let known = 0;
    let lastKnown = '';
    for (const event of events) {
      const row = event.id === undefined ? undefined : (byId.get(event.id) as Row | undefined);
      if (!row) continue;
      const stored = fromRow(row);
      const same =
        stored.stream === stream &&
        stored.type === event.type &&
        stored.v === (event.v ?? 1) &&
        JSON.stringify(stored.data) === encodeJson(event.data ?? null) &&
        (version === null || stored.version === version + 1);
      if (!same) throw new EventIdReused(stored.id);
      version = stored.version;
      known++;
      lastKnown = stored.id;
    }
    if (known > 0 && known < events.length) throw new EventIdReused(lastKnown);
    return version;
  }

  function put({ stream, expectedVersion, events }: Append): number {
    refuseUnlessName(stream, 'stream');
    const before = appendedBefore(stream, events);
    if (before !== null) return before;
    let version = number(lastVersion.get(stream));
    if (expectedVersion !== 'any' && expectedVersion !== version) {
      throw new WrongExpectedVersion(stream, expectedVersion, version);
    }
    let seq = head();
    const at = Date.now();
    const ids = new Set<string>();
    for (const { id = randomUUID(), type, v = 1, data = null } of events) {
      refuseUnlessName(type, 'event type');
      refuseUnlessName(id, 'event id');
      if (ids.has(id)) throw new EventIdReused(id);
      ids.add(id);
      seq++;
      version++;
      const row = toRow({ seq, stream, version, id, type, v, at, data: data as Envelope['data'] });
      insert.run(seq, stream, version, id, type, row.body, row.leaf);
    }
    return version;
  }

  function appendMany(appends: readonly Append[]): number[] {
    return guarded(() => {
      begin.run();
      try {
        const versions = appends.map(put);
        commit.run();
        return versions;
      } catch (error) {
        if (db.isTransaction) rollback.run();
        throw error;
      }
    });
  }

  const readAll = (afterSeq = 0) => pages((after) => pageOfAll.all(after), 'seq', afterSeq);

  return {
    file,
    append: (stream, expectedVersion, events) =>
      appendMany([{ stream, expectedVersion, events }])[0] ?? 0,
    appendMany,
    read: (stream) => pages((after) => pageOfStream.all(stream, after), 'version', 0),
    readAll,
    streams: (prefix = '') => guarded(() => names.all(range(prefix)).map(streamOf)),
    streamsWithout: (prefix, types) =>
      guarded(() =>
        namesWithout.all({ ...range(prefix), types: JSON.stringify(types) }).map(streamOf),
      ),
    head: () => guarded(head),
    changedSince: (seq) => guarded(head) > seq,
    verify() {
      const faults = guarded(() => db.prepare('PRAGMA integrity_check(1)').all());
      const fault = Object.values(faults[0] ?? {})[0];
      if (fault !== 'ok') throw new LogInconsistent(`${file}: ${String(fault)}`);
      // Asked first: other processes may append while this one reads.
      const end = guarded(head);
      let last = 0;
      for (const { seq } of readAll()) last = seq;
      if (last < end) throw new LogInconsistent(`${file} ends at event ${last}`);
    },
    checkpoint: () => guarded(() => db.exec('PRAGMA wal_checkpoint(PASSIVE)')),
    close: () => {
      if (db.isOpen) guarded(() => db.close());
    },
  };
}

const number = (row: unknown): number => (row as { n: number }).n;
const streamOf = (row: unknown): string => (row as { stream: string }).stream;
const range = (prefix: string) => ({ prefix, beyond: `${prefix}\u{10ffff}` });

/** Stream names, types and ids are our own words: one that does not fit is a bug. */
function refuseUnlessName(name: string, what: string): void {
  if (name === '' || name.length > 256 || /\p{Cc}/u.test(name) || !name.isWellFormed()) {
    throw new TypeError(`not a usable ${what}: ${JSON.stringify(name)}`);
  }
}
