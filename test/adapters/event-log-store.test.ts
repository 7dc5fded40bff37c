import fc from 'fast-check';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  EventIdReused,
  LogUnavailable,
  UnrecordableEvent,
  WrongExpectedVersion,
} from '../../adapters/event-log/errors.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import {
  contentOf,
  errorOf,
  logFile,
  openLog,
  temporaryDirectory,
} from '../support/event-log-directory.ts';

/** Runs `work` without root's power over all files. */
function unprivileged<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.('nobody');
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('appending', () => {
  test('gives each event its place in the log and in its stream', () => {
    const log = openLog();
    const before = Date.now();
    expect(log.append('connection/1', 0, [{ type: 'user.connect', data: { host: 'box' } }])).toBe(
      1,
    );
    expect(
      log.append('link/1', 0, [{ type: 'peer.found' }, { id: 'mine', type: 'peer.gone' }]),
    ).toBe(2);
    expect(log.append('connection/1', 1, [{ type: 'ssh.closed', v: 2, data: [null, 1.5] }])).toBe(
      2,
    );

    const all = [...log.readAll()];
    expect(all).toEqual(
      [
        {
          seq: 1,
          stream: 'connection/1',
          version: 1,
          type: 'user.connect',
          v: 1,
          data: { host: 'box' },
        },
        { seq: 2, stream: 'link/1', version: 1, type: 'peer.found', v: 1, data: null },
        { seq: 3, stream: 'link/1', version: 2, type: 'peer.gone', v: 1, data: null },
        { seq: 4, stream: 'connection/1', version: 2, type: 'ssh.closed', v: 2, data: [null, 1.5] },
      ].map((event) => expect.objectContaining(event)),
    );
    expect(all[2]?.id).toBe('mine');
    for (const { at } of all) expect(at >= before && at <= Date.now()).toBe(true);
    expect([...log.read('connection/1')]).toEqual([all[0], all[3]]);
    expect([...log.readAll(2)]).toEqual([all[2], all[3]]);
    expect([...log.read('connection/2')]).toEqual([]);
    expect(log.head()).toBe(4);
  });

  test('refuses a version that the stream is not at, and changes nothing', () => {
    const log = openLog();
    log.append('a', 0, [{ type: 'one' }]);
    const error = errorOf(() => log.append('a', 0, [{ type: 'two' }]));
    expect(error).toBeInstanceOf(WrongExpectedVersion);
    expect(error).toMatchObject({ stream: 'a', expected: 0, actual: 1 });
    expect(errorOf(() => log.append('b', 3, [{ type: 'two' }]))).toMatchObject({ actual: 0 });
    expect(log.append('a', 'any', [{ type: 'two' }])).toBe(2);
    expect(contentOf(log.readAll()).map(({ type }) => type)).toEqual(['one', 'two']);
  });

  test('appends to several streams all or nothing', () => {
    const log = openLog();
    const one = { stream: 'a', expectedVersion: 0, events: [{ type: 'one' }] };
    const two = { stream: 'b', expectedVersion: 1, events: [{ type: 'two' }] };
    expect(errorOf(() => log.appendMany([one, two]))).toBeInstanceOf(WrongExpectedVersion);
    expect(log.head()).toBe(0);
    expect(log.appendMany([one, { ...two, expectedVersion: 0 }])).toEqual([1, 1]);
  });

  test('does nothing the second time for the same events under the same ids', () => {
    const log = openLog();
    const events = [
      { id: 'x', type: 'one', data: { n: 1 } },
      { id: 'y', type: 'two' },
    ];
    expect(log.append('a', 0, events)).toBe(2);
    log.append('a', 2, [{ type: 'three' }]);
    expect(log.append('a', 0, events)).toBe(2);
    expect(log.head()).toBe(3);
  });

  test.each([
    ['other data', 'a', [{ id: 'x', type: 'one', data: { n: 2 } }]],
    ['another type', 'a', [{ id: 'x', type: 'other', data: { n: 1 } }]],
    ['another schema version', 'a', [{ id: 'x', type: 'one', v: 2, data: { n: 1 } }]],
    ['another stream', 'b', [{ id: 'x', type: 'one', data: { n: 1 } }]],
    ['a new event beside it', 'a', [{ id: 'x', type: 'one', data: { n: 1 } }, { type: 'two' }]],
    [
      'itself, twice in one append',
      'a',
      [
        { id: 'z', type: 'z' },
        { id: 'z', type: 'z' },
      ],
    ],
  ])('refuses an id used before with %s', (_, stream, events) => {
    const log = openLog();
    log.append('a', 0, [{ id: 'x', type: 'one', data: { n: 1 } }]);
    expect(errorOf(() => log.append(stream, 'any', events))).toBeInstanceOf(EventIdReused);
    expect(log.head()).toBe(1);
  });

  test.each([
    ['NaN', { a: [Number.NaN] }, 'data.a[0] is NaN'],
    ['a date', { at: new Date(0) }, 'data.at is Date'],
    ['bytes', new Uint8Array(1), 'data is Uint8Array'],
    ['an error', { cause: { error: new Error('secret') } }, 'data.cause.error is Error'],
    ['undefined in a list', [undefined], 'data[0] is undefined'],
    ['a bigint', 1n, 'data is bigint'],
  ])('refuses %s as data, naming the place and not the value', (_, data, words) => {
    const log = openLog();
    const error = errorOf(() => log.append('a', 0, [{ type: 'fine' }, { type: 'bad', data }]));
    expect(error).toBeInstanceOf(UnrecordableEvent);
    expect(error.message).toContain(words.replace('data', 'event.data'));
    expect(error.message).not.toContain('secret');
    expect(log.head()).toBe(0);
  });

  test('refuses a circle as data', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const log = openLog();
    expect(errorOf(() => log.append('a', 0, [{ type: 'bad', data: circle }]))).toBeInstanceOf(
      UnrecordableEvent,
    );
  });

  test('whatever is appended reads back the same, also after reopening', () => {
    const stream = fc.constantFrom('a', 'b/1', 'ключ');
    const event = fc.record({
      type: fc.constantFrom('user.connect', 'peer.found'),
      data: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
    });
    const appends = fc.array(fc.tuple(stream, fc.array(event, { maxLength: 4 })), {
      maxLength: 12,
    });
    const file = logFile();
    let offset = 0;
    fc.assert(
      fc.property(appends, (batches) => {
        const log = openEventLog(file);
        try {
          offset = log.head();
          const versions = new Map<string, number>();
          for (const name of ['a', 'b/1', 'ключ']) versions.set(name, [...log.read(name)].length);
          for (const [name, events] of batches) {
            const version = (versions.get(name) ?? 0) + events.length;
            expect(log.append(name, versions.get(name) ?? 0, events)).toBe(version);
            versions.set(name, version);
          }
        } finally {
          log.close();
        }
        const again = openEventLog(file, { readOnly: true });
        try {
          expect(contentOf(again.readAll(offset))).toEqual(batches.flatMap(([, events]) => events));
          for (const name of ['a', 'b/1', 'ключ']) {
            const mine = batches.flatMap(([at, events]) => (at === name ? events : []));
            const inStream = [...again.read(name)].filter(({ seq }) => seq > offset);
            expect(contentOf(inStream)).toEqual(mine);
          }
        } finally {
          again.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  test('reads streams longer than one page', () => {
    const log = openLog();
    const events = Array.from({ length: 1100 }, (_, n) => ({ type: 'test.happened', data: n }));
    expect(log.append('long', 0, events)).toBe(1100);
    expect(contentOf(log.read('long')).map(({ data }) => data)).toEqual(events.map((e) => e.data));
    expect([...log.readAll(600)]).toHaveLength(500);
  });
});

describe('looking', () => {
  test('lists streams by prefix in the order in which they began', () => {
    const log = openLog();
    for (const name of ['link/2', 'connection/9', 'link/1', 'linked']) {
      log.append(name, 0, [{ type: 'xstate.init' }]);
    }
    log.append('link/2', 1, [{ type: 'app.stopped' }]);
    expect(log.streams()).toEqual(['link/2', 'connection/9', 'link/1', 'linked']);
    expect(log.streams('link/')).toEqual(['link/2', 'link/1']);
    expect(log.streamsWithout('link/', ['app.stopped', 'app.finished'])).toEqual(['link/1']);
  });

  test('sees what another process appended since', () => {
    const file = logFile();
    const mine = openLog(file);
    const other = openLog(file);
    const head = mine.head();
    expect(mine.changedSince(head)).toBe(false);
    other.append('a', 0, [{ type: 'one' }]);
    expect(mine.changedSince(head)).toBe(true);
    expect(contentOf(mine.readAll(head))).toEqual([{ type: 'one', data: null }]);
  });
});

describe('the file', () => {
  test('is readable by its owner only, with all that lies beside it', () => {
    const file = logFile();
    const log = openLog(file);
    log.append('a', 0, [{ type: 'one' }]);
    const directory = dirname(file);
    expect(readdirSync(directory).toSorted()).toEqual(['log.db', 'log.db-shm', 'log.db-wal']);
    for (const name of readdirSync(directory)) expect(modeOf(join(directory, name))).toBe(0o600);
    expect(modeOf(directory)).toBe(0o700);
  });

  test('that others could read is closed to them when it is opened', () => {
    const file = logFile();
    openEventLog(file).close();
    chmodSync(file, 0o644);
    openLog(file).append('a', 0, [{ type: 'one' }]);
    expect(modeOf(file)).toBe(0o600);
    expect(modeOf(`${file}-wal`)).toBe(0o600);
  });

  test('holds everything by itself after a checkpoint and after closing', () => {
    const file = logFile();
    const log = openLog(file);
    log.append('a', 0, [{ type: 'one' }]);
    log.checkpoint();
    const copy = new DatabaseSync(`file:${file}?immutable=1`, { readOnly: true });
    expect(copy.prepare('SELECT count(*) AS n FROM event').get()).toEqual({ n: 1 });
    copy.close();
    log.close();
    log.close();
    expect(readdirSync(dirname(file))).toEqual(['log.db']);
  });

  test('takes no update and no deletion', () => {
    const file = logFile();
    openLog(file).append('a', 0, [{ type: 'one' }]);
    const raw = new DatabaseSync(file);
    expect(() => raw.exec("UPDATE event SET type = 'two'")).toThrow('append-only');
    expect(() => raw.exec('DELETE FROM event')).toThrow('append-only');
    raw.close();
  });

  test('opened read-only must exist, and takes no append', () => {
    const file = logFile();
    expect(errorOf(() => openEventLog(file, { readOnly: true }))).toBeInstanceOf(LogUnavailable);
    expect(existsSync(file)).toBe(false);
    openEventLog(file).close();
    const log = openEventLog(file, { readOnly: true });
    expect(errorOf(() => log.append('a', 0, [{ type: 'one' }]))).toBeInstanceOf(LogUnavailable);
    log.close();
  });

  test('in a directory that cannot be written is unavailable', () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o555);
    expect(
      errorOf(() => unprivileged(() => openEventLog(join(directory, 'log.db')))),
    ).toBeInstanceOf(LogUnavailable);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('of someone else is unavailable, and stays as it is', () => {
    const file = logFile();
    openEventLog(file).close();
    chmodSync(file, 0o000);
    expect(errorOf(() => unprivileged(() => openEventLog(file)))).toBeInstanceOf(LogUnavailable);
    expect(modeOf(file)).toBe(0o000);
  });

  test('below something that is not a directory is unavailable', () => {
    const file = logFile();
    openEventLog(file).close();
    expect(errorOf(() => openEventLog(join(file, 'log.db')))).toBeInstanceOf(LogUnavailable);
  });
});
