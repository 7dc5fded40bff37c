import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { startChild } from '../support/event-log-child.ts';
import { logFile, openLog, temporaryDirectory } from '../support/event-log-directory.ts';

const canMount = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return probe.status === 0;
})();

test(
  'kill -9 at any moment loses no event that was acknowledged',
  { timeout: 60_000 },
  async () => {
    const file = logFile();
    for (let round = 0; round < 6; round++) {
      const stream = `machine/${round}`;
      const child = startChild('event-log-appender.ts', [file, stream, '100000', '300']);
      await child.printed(1 + Math.floor(Math.random() * 150));
      child.process.kill('SIGKILL');
      await child.ended;

      const acknowledged = Number(child.lines.at(-1));
      const log = openEventLog(file);
      log.verify();
      const events = [...log.read(stream)];
      log.close();
      expect(acknowledged).toBeGreaterThan(0);
      expect(events.length).toBeGreaterThanOrEqual(acknowledged);
      expect(events.length).toBeLessThanOrEqual(acknowledged + 1);
      expect(events.map(({ data }) => (data as { n: number }).n)).toEqual(events.map((_, n) => n));
    }
  },
);

test('six processes that append at once leave a whole log', { timeout: 60_000 }, async () => {
  const file = logFile();
  const count = 60;
  const children = Array.from({ length: 6 }, (_, n) =>
    startChild('event-log-appender.ts', [file, `machine/${n}`, String(count), '100']),
  );
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0, 0, 0]);

  const log = openLog(file);
  log.verify();
  expect([...log.readAll()].map(({ seq }) => seq)).toEqual(
    Array.from({ length: 6 * count }, (_, n) => n + 1),
  );
  for (let n = 0; n < 6; n++) {
    const versions = [...log.read(`machine/${n}`)].map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  }
});

async function expectWholeAfterLastWrite(file: string, through: string[]): Promise<string[]> {
  const child = startChild('event-log-appender.ts', [file, 'machine/1', '5000', '2000'], through);
  expect(await child.ended).toBe(0);
  expect(child.lines.at(-1)).toBe('LogUnavailable');
  return child.lines.slice(0, -1);
}

test.skipIf(process.platform === 'win32')(
  'a file that may not grow makes the log unavailable with nothing half-written (not on Windows)',
  async () => {
    const file = logFile();
    const limited = ['sh', '-c', 'ulimit -f 600 && exec "$@"', 'sh'];
    const acknowledged = await expectWholeAfterLastWrite(file, limited);
    const log = openLog(file);
    log.verify();
    expect(log.head()).toBe(acknowledged.length);
    expect(log.append('machine/1', acknowledged.length, [{ type: 'test.happened' }])).toBe(
      acknowledged.length + 1,
    );
  },
);

test.skipIf(!canMount)(
  'a full disk makes the log unavailable with nothing half-written (needs root on Linux: mounts a tmpfs)',
  async () => {
    const disk = join(temporaryDirectory(), 'disk');
    mkdirSync(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]).status).toBe(0);
    onTestFinished(() => {
      spawnSync('umount', [disk]);
      rmdirSync(disk);
    });
    const file = join(disk, 'log.db');
    const acknowledged = await expectWholeAfterLastWrite(file, []);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(spawnSync('mount', ['-o', 'remount,size=8m', disk]).status).toBe(0);
    const log = openEventLog(file);
    log.verify();
    expect(log.head()).toBe(acknowledged.length);
    expect(log.append('machine/1', acknowledged.length, [{ type: 'test.happened' }])).toBe(
      acknowledged.length + 1,
    );
    log.close();
  },
);
