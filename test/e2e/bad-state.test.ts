import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Device } from '../support/program-driver.ts';
import { createIdentity, pair } from '../support/program-story.ts';

const isRoot = process.getuid?.() === 0;

describe('a state directory', () => {
  const bench = createBench();
  const good = { vmux: bench.device('vmux'), signer: bench.device('signer') };

  beforeAll(async () => {
    await createIdentity(good.signer, 'work', 'four words and more');
    await pair(good.vmux, good.signer);
  });
  afterAll(() => bench.clear());

  /** A copy of the good state, for a test to damage. */
  function copy(program: 'vmux' | 'signer'): Device {
    const device = bench.device(program);
    cpSync(good[program].home, device.home, { recursive: true });
    return device;
  }
  const commands = {
    vmux: [['phones'], ['hosts'], ['log'], ['doctor'], []],
    signer: [['identity', 'list'], ['devices'], ['log'], ['start'], []],
  };

  for (const program of ['vmux', 'signer'] as const) {
    it(`with garbage for a log is left as it is by every command of ${program}`, async () => {
      const device = copy(program);
      const file = join(device.home, 'events.db');
      const garbage = Buffer.from('this is no event log '.repeat(500));
      writeFileSync(file, garbage);
      for (const command of commands[program]) {
        const { status, stdout, stderr } = await device.run(command);
        expect([command, status, stdout]).toEqual([command, 1, '']);
        expect(stderr).toMatch(
          new RegExp(`^${program}: The event log is damaged\\..*\\nhint: Nothing was changed\\.`),
        );
        expect(readFileSync(file).equals(garbage)).toBe(true);
      }
    });

    it(`with the log of a newer ${program} is left as it is`, async () => {
      const device = copy(program);
      const file = join(device.home, 'events.db');
      const db = new DatabaseSync(file);
      db.exec('PRAGMA user_version = 99');
      db.close();
      const before = readFileSync(file);
      for (const command of commands[program]) {
        const { status, stderr } = await device.run(command);
        expect([command, status]).toEqual([command, 1]);
        expect(stderr).toContain(`${program}: The event log was written by a newer release.`);
      }
      expect(readFileSync(file).equals(before)).toBe(true);
    });

    it(`where a file is in its place stops ${program}`, async () => {
      const device = bench.device(program);
      writeFileSync(device.home, 'a file');
      const { status, stderr } = await device.run(commands[program][0] ?? []);
      expect(status).toBe(1);
      expect(stderr).toContain(`${program}: The state directory cannot be used.`);
      expect(readFileSync(device.home, 'utf8')).toBe('a file');
    });

    it.skipIf(!isRoot)(
      `of another user stops ${program}${isRoot ? '' : ' [skipped: only root can give one away]'}`,
      async () => {
        const device = bench.device(program);
        mkdirSync(device.home, { mode: 0o777 });
        chownSync(device.home, 65_534, 65_534);
        const { status, stderr } = await device.run(commands[program][0] ?? []);
        expect(status).toBe(1);
        expect(stderr).toContain(`${program}: The state directory cannot be used.`);
        expect(stderr).toContain('belongs to another user');
      },
    );

    it(`that others could read is closed to them by ${program}`, async () => {
      const device = copy(program);
      chmodSync(device.home, 0o755);
      expect((await device.run(commands[program][0] ?? [])).status).toBe(0);
      expect(statSync(device.home).mode & 0o777).toBe(0o700);
    });

    it(`with a damaged certificate of its own stops ${program} without a new one`, async () => {
      const device = copy(program);
      const file = join(device.home, 'device.json');
      writeFileSync(file, '{"not":"a certificate"');
      const { status, stderr } = await device.run(
        program === 'vmux' ? ['connect', 'root@127.0.0.1:1'] : ['start', '--port', '0'],
      );
      expect(status).toBe(program === 'vmux' ? 255 : 1);
      expect(stderr).toMatch(new RegExp(`^${program}: The state directory cannot be used\\.`, 'm'));
      expect(stderr).toMatch(/^hint: /m);
      expect(stderr).not.toMatch(/^ +at /m);
      expect(readFileSync(file, 'utf8')).toBe('{"not":"a certificate"');
    });
  }
});
