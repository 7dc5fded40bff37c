import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LogFromNewerProgram, LogInconsistent, LogUnavailable, withLogErrors } from './errors.ts';

/** `PRAGMA application_id`: "vmux". */
const APPLICATION_ID = 0x766d7578;

/** `PRAGMA user_version`: the log format that this program writes, and the newest it reads. */
export const LOG_FORMAT = 1;

const schema = `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    leaf BLOB NOT NULL,
    UNIQUE (stream, version)
  ) STRICT;
  CREATE INDEX event_first ON event (stream) WHERE version = 1;
  CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
  CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;`;

/** Order matters: WAL waits for other processes only when the time-out is set before it. */
const pragmas = [
  ['busy_timeout', 5000],
  ['journal_mode', 'wal'],
  ['synchronous', 2],
  ['fullfsync', 1],
  ['trusted_schema', 0],
  ['cell_size_check', 1],
] as const;

/**
 * Opens the log's database, and makes it (0600, its directory 0700) when there is none.
 *
 * A log is made under another name and linked into place when complete, so a file that is there but
 * empty or unknown is damage, never a new log. Throws `LogFromNewerProgram`, `LogInconsistent`,
 * `LogUnavailable`; none of them changes the file.
 */
export function openDatabase(file: string, readOnly: boolean): DatabaseSync {
  return withLogErrors(file, () => {
    const strayWal = existsSync(`${file}-wal`);
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found && !found.isFile()) throw new LogInconsistent(`${file} is not a file`);
    if (!found) {
      if (strayWal) throw new LogInconsistent(`${file} is gone, its -wal file is not`);
      if (readOnly) throw new LogUnavailable(`${file} does not exist`);
      create(file);
    }
    refuseUnknown(file);
    if (!readOnly) chmodSync(file, 0o600);
    return connect(file, readOnly);
  });
}

function create(file: string): void {
  const directory = dirname(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = join(directory, `.${basename(file)}.${randomUUID()}`);
  closeSync(openSync(draft, 'wx', 0o600));
  try {
    const db = connect(draft, false);
    try {
      db.exec(`BEGIN; ${schema}
        PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${LOG_FORMAT}; COMMIT`);
    } finally {
      db.close();
    }
    linkUnlessThere(draft, file);
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  }
  syncDirectory(directory);
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Looks through a read-only connection, which leaves even an unfinished WAL as it is. */
function refuseUnknown(file: string): void {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const format = Number(pragma(db, 'user_version'));
    if (Number(pragma(db, 'application_id')) !== APPLICATION_ID || format < 1) {
      throw new LogInconsistent(`${file} is not an event log`);
    }
    if (format > LOG_FORMAT) throw new LogFromNewerProgram(file, format, LOG_FORMAT);
  } finally {
    db.close();
  }
}

function connect(file: string, readOnly: boolean): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly, timeout: 5000 });
  try {
    for (const [name, value] of pragmas) {
      if (!(readOnly && name === 'journal_mode')) db.exec(`PRAGMA ${name} = ${value}`);
      const inForce = pragma(db, name);
      if (inForce !== value) {
        throw new LogUnavailable(`${file}: ${name} is ${String(inForce)} instead of ${value}`);
      }
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
