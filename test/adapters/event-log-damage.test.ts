import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  LogFromNewerProgram,
  LogInconsistent,
  LogUnavailable,
} from '../../adapters/event-log/errors.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { errorOf, logFile, openLog } from '../support/event-log-directory.ts';

const COUNT = 120;

/** A closed log with some events, and what it reads. */
function written() {
  const file = logFile();
  const log = openEventLog(file);
  for (let n = 0; n < COUNT; n += 10) {
    const events = Array.from({ length: 10 }, (_, i) => ({
      type: 'test.happened',
      data: { n: n + i, filler: 'x'.repeat(120) },
    }));
    log.append(`machine/${n % 3}`, 'any', events);
  }
  const events = [...log.readAll()];
  log.close();
  return { file, events, bytes: readFileSync(file) };
}

function readWhole(file: string) {
  const log = openEventLog(file);
  try {
    log.verify();
    return [...log.readAll()];
  } finally {
    log.close();
  }
}

function replace(file: string, bytes: Uint8Array): void {
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  writeFileSync(file, bytes);
}

describe('a log that is damaged', () => {
  test('with any bit flipped reads the same as before or is refused', () => {
    const { file, events, bytes } = written();
    let refused = 0;
    for (let position = 0; position < bytes.length; position += position < 100 ? 1 : 397) {
      const damaged = Buffer.from(bytes);
      damaged[position] = (damaged[position] ?? 0) ^ (1 << (position % 8));
      replace(file, damaged);
      try {
        expect(readWhole(file)).toEqual(events);
      } catch (error) {
        const { name } = error as Error;
        expect(['LogInconsistent', 'LogFromNewerProgram', 'LogUnavailable']).toContain(name);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  test.each([0, 1, 99, 512, 4096, 10_000, -4096, -1])(
    'cut at byte %i is refused, and no new log takes its place',
    (at) => {
      const { file, bytes } = written();
      truncateSync(file, at < 0 ? bytes.length + at : at);
      const before = readFileSync(file);
      expect(errorOf(() => readWhole(file))).toBeInstanceOf(LogInconsistent);
      expect(readFileSync(file)).toEqual(before);
    },
  );

  test.each([
    [
      'text',
      Buffer.from('this is not a database, only some words that a person wrote down\n'.repeat(20)),
    ],
    ['nothing but zeroes', Buffer.alloc(8192)],
  ])('that is %s is refused untouched', (_, bytes) => {
    const file = logFile();
    mkdirSync(dirname(file));
    writeFileSync(file, bytes);
    expect(errorOf(() => openEventLog(file))).toBeInstanceOf(LogInconsistent);
    expect(readFileSync(file)).toEqual(bytes);
  });

  test("that is another program's database is refused untouched", () => {
    const file = logFile();
    mkdirSync(dirname(file));
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE event (seq INTEGER PRIMARY KEY); PRAGMA user_version = 1');
    other.close();
    const before = readFileSync(file);
    expect(errorOf(() => openEventLog(file))).toBeInstanceOf(LogInconsistent);
    expect(readFileSync(file)).toEqual(before);
  });

  test('that is a directory is refused', () => {
    const file = logFile();
    mkdirSync(file, { recursive: true });
    expect(errorOf(() => openEventLog(file))).toBeInstanceOf(LogInconsistent);
  });

  test('of which only the -wal file is left is refused', () => {
    const file = logFile();
    const log = openLog(file);
    log.append('a', 0, [{ type: 'one' }]);
    rmSync(file);
    expect(errorOf(() => openEventLog(file))).toBeInstanceOf(LogInconsistent);
    expect(readdirSync(dirname(file)).toSorted()).toEqual(['log.db-shm', 'log.db-wal']);
  });

  test.each([
    ['a row is gone', 'DELETE FROM event WHERE seq = 7'],
    [
      'a body was changed',
      "UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'xxx', 'yyy') AS BLOB) WHERE seq = 7",
    ],
    ['a row was moved', "UPDATE event SET stream = 'machine/other', version = 1 WHERE seq = 7"],
    ['a type was changed', "UPDATE event SET type = 'user.approve' WHERE seq = 7"],
  ])('because %s is refused when it is read', (_, sql) => {
    const { file } = written();
    const raw = new DatabaseSync(file);
    raw.exec(`DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete; ${sql}`);
    raw.close();
    const log = openLog(file);
    expect(errorOf(() => [...log.readAll()])).toBeInstanceOf(LogInconsistent);
    expect(errorOf(() => [...log.read('machine/0')])).toBeInstanceOf(LogInconsistent);
    expect(errorOf(() => log.verify())).toBeInstanceOf(LogInconsistent);
  });
});

describe('a log from a newer program', () => {
  test('is refused with every byte as it was', () => {
    const { file } = written();
    const raw = new DatabaseSync(file);
    raw.exec('PRAGMA user_version = 2');
    raw.close();
    const before = readFileSync(file);
    for (const readOnly of [false, true]) {
      const error = errorOf(() => openEventLog(file, { readOnly }));
      expect(error).toBeInstanceOf(LogFromNewerProgram);
      expect(error).toMatchObject({ format: 2 });
    }
    expect(readFileSync(file)).toEqual(before);
  });

  test('is refused also when that program died before its checkpoint', () => {
    const { file } = written();
    const raw = new DatabaseSync(file);
    raw.exec('PRAGMA user_version = 2; CREATE TABLE newer (something TEXT)');
    const crashed = `${file}.crashed`;
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, crashed + suffix);
    raw.close();
    const before = ['', '-wal'].map((suffix) => readFileSync(crashed + suffix));
    expect(errorOf(() => openEventLog(crashed))).toBeInstanceOf(LogFromNewerProgram);
    expect(['', '-wal'].map((suffix) => readFileSync(crashed + suffix))).toEqual(before);
  });
});

test('a log that another program keeps locked is unavailable', { timeout: 30_000 }, () => {
  const { file } = written();
  const log = openLog(file);
  const raw = new DatabaseSync(file);
  raw.exec('BEGIN IMMEDIATE');
  expect(errorOf(() => log.append('a', 0, [{ type: 'one' }]))).toBeInstanceOf(LogUnavailable);
  raw.exec('ROLLBACK');
  raw.close();
  expect(log.append('a', 0, [{ type: 'one' }])).toBe(1);
});
