import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Device, type RunningProgram } from '../support/program-driver.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import {
  connectTo,
  type Phone,
  PROMPT,
  startPhone,
  readyToLogIn,
} from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'four words and more';
const canMount = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!hasSshd)(
  `a program that is killed${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const mounted: string[] = [];
    let sshd: Sshd;
    let signer: Phone;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      signer = await readyToLogIn(headset, phone, sshd, passphrase);
    });
    afterAll(async () => {
      for (const path of mounted) execFileSync('umount', ['-l', path]);
      await bench.clear();
      await sshd?.stop();
    });

    const logins = () => sshd.log().split('Accepted publickey').length - 1;
    const connect = (command = ['cat']) => headset.start(connectTo(sshd, signer, command));

    /** A connection that nobody awaits: its start is what matters. */
    const startAgain = () => headset.run(['connect', 'root@127.0.0.1:1']);

    const headsetMoments = ['ssh.resolved', 'ssh.publickeyWanted', 'signer.presented'] as const;
    for (const moment of headsetMoments) {
      it(`loses nothing as vmux after ${moment}, and its next start closes the run`, async () => {
        const before = eventsOf(headset);
        const shown = logins();
        const running = connect();
        await recorded(headset, before.length, moment);
        await killed(running);
        const left = eventsOf(headset);
        nothingLost(headset, before);
        expect(left.some(({ seq, type }) => seq > before.length && type === moment)).toBe(true);
        expect(runsOf(headset, 'connection').at(-1)?.end).toBe(null);
        await startAgain();
        nothingLost(headset, left);
        expect(runsOf(headset, 'connection').at(-2)?.end).toBe('app.interrupted');
        expect(logins()).toBe(shown);
      });
    }

    it('loses nothing as vmux with a shell open', async () => {
      await expect
        .poll(() => runsOf(phone, 'signer').at(-1)?.value)
        .toEqual({ awake: 'advertising' });
      signer.skip();
      const before = eventsOf(headset);
      const running = connect();
      await signer.answer(passphrase);
      running.type('hello\n');
      await running.expect('hello\n');
      await killed(running);
      nothingLost(headset, before);
      await startAgain();
      expect(runsOf(headset, 'connection').at(-2)).toMatchObject({
        value: { session: 'connected' },
        end: 'app.interrupted',
      });
    });

    for (const moment of ['request.received', 'sheet.shown', 'user.approve'] as const) {
      it(`loses nothing as signer after ${moment}, and signs nothing afterwards`, async () => {
        const before = eventsOf(phone);
        const shown = logins();
        const running = headset.start(connectTo(sshd, signer, ['id', '-un'], ['--timeout', '4']));
        if (moment === 'user.approve') await signer.answer(passphrase);
        await recorded(phone, before.length, moment);
        await killed(signer);
        const left = eventsOf(phone);
        nothingLost(phone, before);
        const port = Number(signer.address.split(':')[1]);
        if (moment === 'sheet.shown') {
          signer = await startPhone(phone, port);
          // The headset finds the phone again and asks anew: an approval is never carried over.
          await signer.expect(PROMPT);
          signer.type('d\n');
          const { status, stderr } = await running.ended;
          expect(status).toBe(255);
          expect(stderr).toContain('vmux: The request was denied on the phone.\n');
        } else {
          const { status, stderr } = await running.ended;
          expect(status).toBe(255);
          expect(stderr).toContain(
            'vmux: No iPhone signer found.\nhint: The link to the phone dropped',
          );
          signer = await startPhone(phone, port);
        }
        nothingLost(phone, left);
        const interrupted = runsOf(phone, 'signer').at(-2);
        expect(interrupted?.end).toBe('app.interrupted');
        const events = eventsOf(phone).slice(before.length);
        expect(events.filter(({ type }) => type === 'xstate.done.actor.keys')).toEqual([]);
        expect(logins()).toBe(shown);
      });
    }

    it('leaves logs that fold, and tell what the screens told', async () => {
      signer.kill('SIGTERM');
      await signer.ended;
      expect(untold(headset)).toEqual([]);
      expect(untold(phone)).toEqual([]);
    });

    /** A state directory on a file system of its own that has no room left. */
    function onFullDisk(device: Device): { device: Device; fill: () => void } {
      const small = bench.device(device.program);
      mkdirSync(small.home, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', small.home]);
      mounted.push(small.home);
      cpSync(device.home, small.home, {
        recursive: true,
        filter: (path) => !path.includes('/cache'),
      });
      return {
        device: small,
        fill() {
          for (const size of [65_536, 4_096]) {
            for (let i = 0; ; i += 1) {
              try {
                writeFileSync(join(small.home, `filler-${size}-${i}`), Buffer.alloc(size));
              } catch {
                break;
              }
            }
          }
          expect(statSync(small.home).isDirectory()).toBe(true);
        },
      };
    }

    const unmountable = canMount ? '' : ' [skipped: no right to mount a small file system]';
    it.skipIf(!canMount)(
      `stops as vmux when its disk is full, and sends nothing${unmountable}`,
      async () => {
        signer = await startPhone(phone);
        const small = onFullDisk(headset);
        const before = eventsOf(phone).length;
        const running = small.device.start(connectTo(sshd, signer, ['id', '-un']));
        await signer.expect(PROMPT);
        small.fill();
        signer.type(`${passphrase}\n`);
        const shown = logins();
        const { status, stdout, stderr } = await running.ended;
        expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
        expect(stderr).toMatch(
          /^vmux: The event log cannot be written\..*\nhint: Nothing happens without it/m,
        );
        expect(logins()).toBe(shown);
        expect(eventsOf(phone).length).toBeGreaterThan(before);

        const again = await small.device.run(connectTo(sshd, signer, ['id', '-un']));
        expect(again.status).toBe(255);
        expect(again.stderr).toMatch(/^vmux: The event log cannot be written\./);
      },
    );

    it.skipIf(!canMount)(
      `stops as signer when its disk is full, and signs nothing${unmountable}`,
      async () => {
        signer.kill('SIGTERM');
        await signer.ended;
        const small = onFullDisk(phone);
        const onSmall = await startPhone(small.device);
        const shown = logins();
        const running = headset.start(connectTo(sshd, onSmall, ['id', '-un'], ['--timeout', '5']));
        await onSmall.expect(PROMPT);
        small.fill();
        onSmall.type(`${passphrase}\n`);
        const { status, stderr } = await onSmall.ended;
        expect(status).toBe(1);
        expect(stderr).toMatch(/^signer: The event log cannot be written\..*\nhint: /m);
        expect((await running.ended).status).toBe(255);
        expect(logins()).toBe(shown);
        const made = eventsOf(small.device).filter(({ type }) => type === 'xstate.done.actor.keys');
        expect(made).toEqual(
          eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys'),
        );
      },
    );
  },
);

/** The log of before is the beginning of the log of now. */
function nothingLost(device: Device, before: ReturnType<typeof eventsOf>): void {
  expect(eventsOf(device).slice(0, before.length)).toEqual(before);
}

/** Whether a program has recorded this kind of event since the log was at `from`. */
const recorded = (device: Device, from: number, type: string) =>
  expect
    .poll(() => eventsOf(device).some((event) => event.seq > from && event.type === type), {
      timeout: 10_000,
      interval: 10,
    })
    .toBe(true);

async function killed(running: RunningProgram): Promise<void> {
  running.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ status: null, signal: 'SIGKILL' });
}
