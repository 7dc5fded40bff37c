import { cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench, type Device } from '../support/program-driver.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import {
  connectTo,
  createIdentity,
  knowHost,
  pair,
  type Phone,
  PROMPT,
  startPhone,
} from '../support/program-story.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'four words and more';
const otherPassphrase = 'entirely other words';

describe.skipIf(!hasSshd)(
  `several devices at once${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const phone = bench.device('signer');
    const left = bench.device('vmux');
    const right = bench.device('vmux');
    let sshd: Sshd;
    let signer: Phone;
    let key = '';

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      key = await createIdentity(phone, 'work', passphrase);
      await sshd.setAuthorizedKeys([key]);
      await knowHost(phone, sshd);
      await pair(left, phone, { headset: 'Left', phone: 'iPhone' });
      await pair(right, phone, { headset: 'Right', phone: 'iPhone' });
      signer = await startPhone(phone);
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    const connect = (device: Device, ...command: string[]) =>
      device.start(connectTo(sshd, signer, command.length === 0 ? ['true'] : command));
    const logins = () => sshd.log().split('Accepted publickey').length - 1;

    it('serves two headsets, one sheet at a time, each answer to its own asker', async () => {
      const first = connect(left, 'echo', 'left');
      await signer.expect('From Left');
      const second = connect(right, 'echo', 'right');
      await second.expect('Waiting for iPhone signer… (the phone shows another request first)');
      expect(signer.unread()).not.toContain('From Right');
      await signer.answer('d');
      await signer.expect('root@127.0.0.1 from Left: denied; nothing was signed');
      await signer.expect('From Right');
      await signer.answer(passphrase);
      await signer.expect('root@127.0.0.1 from Right: signed');
      const [denied, signed] = await Promise.all([first.ended, second.ended]);
      expect([denied.status, denied.stdout]).toEqual([255, '']);
      expect(denied.stderr).toContain('vmux: The request was denied on the phone.\n');
      expect([signed.status, signed.stdout]).toEqual([0, 'right\n']);
    });

    it('never lets what was typed for one sheet approve the next', async () => {
      const before = logins();
      const approvals = eventsOf(phone).filter(({ type }) => type === 'user.approve').length;
      const first = connect(left);
      await signer.expect(PROMPT);
      const second = connect(right);
      await second.expect('the phone shows another request first');
      // All of the passphrase, but not the Enter, before the sheet is replaced.
      signer.type(passphrase);
      first.kill('SIGINT');
      await signer.expect('root@127.0.0.1 from Left: withdrawn');
      signer.type('\n');
      await signer.expect('From Right');
      await signer.expect(PROMPT);
      signer.type('\n');
      second.kill('SIGINT');
      await signer.expect('root@127.0.0.1 from Right: withdrawn');
      expect((await first.ended).status).toBe(130);
      expect((await second.ended).status).toBe(130);
      const approved = eventsOf(phone).filter(({ type }) => type === 'user.approve');
      expect(approved).toHaveLength(approvals);
      expect(logins()).toBe(before);
    });

    it('serves several vmux at once on one state directory, and their log is whole', async () => {
      const all = ['one', 'two', 'three', 'four'].map((word) => connect(left, 'echo', word));
      for (const _ of all) await signer.answer(passphrase);
      const ended = await Promise.all(all.map((running) => running.ended));
      expect(ended.map(({ status, stdout }) => [status, stdout])).toEqual([
        [0, 'one\n'],
        [0, 'two\n'],
        [0, 'three\n'],
        [0, 'four\n'],
      ]);
      const runs = runsOf(left, 'connection').slice(-4);
      expect(runs.map(({ value }) => value)).toEqual(Array(4).fill('disconnected'));
      const begun = eventsOf(left).filter(({ type }) => type === 'process.started');
      const over = eventsOf(left).filter(({ type }) => type === 'process.ended');
      expect(over).toHaveLength(begun.length);
    });

    it('ends at once, when the phone removes a headset, what that headset asked for', async () => {
      const waiting = connect(right);
      await signer.expect(PROMPT);
      expect((await phone.run(['devices', 'remove', 'Right'])).stdout).toBe('removed Right\n');
      const { status, stderr } = await waiting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain('vmux: No iPhone signer found.\nhint: ');
      await signer.expect('withdrawn');
      await expect
        .poll(async () => (await right.run(['phones'])).stdout)
        .toMatch(/^no phone is paired yet/);
      const again = await right.run(connectTo(sshd, signer, ['true']));
      expect(again.stderr).toContain(
        'vmux: No iPhone signer found.\nhint: No phone is paired with this headset.',
      );
    });

    it('logs a headset that was wiped and paired anew in with the same key', async () => {
      rmSync(right.home, { recursive: true });
      expect((await right.run(['phones'])).stdout).toMatch(/^no phone is paired yet/);
      await pair(right, phone, { headset: 'Right again', phone: 'iPhone' });
      signer.kill('SIGTERM');
      await signer.ended;
      signer = await startPhone(phone);
      const running = connect(right, 'id', '-un');
      await signer.expect('From Right again');
      await signer.answer(passphrase);
      expect(await running.ended).toMatchObject({ status: 0, stdout: 'root\n' });
      const login = eventsOf(right).findLast(({ type }) => type === 'login.succeeded');
      const accepted = sshd.log().match(/Accepted publickey.*SHA256:\S+/g);
      expect(login?.data).toEqual({ fingerprint: accepted?.at(-1)?.match(/SHA256:\S+$/)?.[0] });
    });

    it('ends at once, when a headset removes the phone, the link of its other programs', async () => {
      const waiting = connect(right);
      await signer.expect(PROMPT);
      const removed = await right.run(['phones', 'remove', 'iPhone']);
      expect([removed.status, removed.stdout]).toEqual([0, 'removed iPhone; it was told\n']);
      await signer.expect('withdrawn');
      const { status, stderr } = await waiting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain('hint: No phone is paired with this headset.');
      const { stdout } = await phone.run(['devices', '--json']);
      expect(JSON.parse(stdout).map(({ name }: { name: string }) => name)).toEqual(['Left']);
    });

    it('says in clear words that a phone was wiped', async () => {
      signer.kill('SIGTERM');
      await signer.ended;
      const wiped = bench.device('signer');
      const port = Number(signer.address.split(':')[1]);
      cpSync(phone.home, `${phone.home}-kept`, { recursive: true });
      const stranger = await startPhone(wiped, port);
      const { status, stderr } = await left.run(connectTo(sshd, stranger, ['true']));
      expect(status).toBe(255);
      expect(stderr).toContain('vmux: No iPhone signer found.\n');
      expect(stderr).toContain('run "signer pair" there and "vmux pair" here');
      expect(stranger.stdout().toString()).not.toContain('headset is linked');

      const newKey = await createIdentity(wiped, 'work', otherPassphrase);
      await knowHost(wiped, sshd);
      await sshd.setAuthorizedKeys([newKey]);
      await pair(left, wiped, { headset: 'Left', phone: 'new iPhone' });
      await linked(left, stranger);
      const running = left.start(connectTo(sshd, stranger, ['id', '-un']));
      await stranger.answer(otherPassphrase);
      expect(await running.ended).toMatchObject({ status: 0, stdout: 'root\n' });
      stranger.kill('SIGTERM');
      await stranger.ended;
      expect(untold(wiped)).toEqual([]);
    });

    it('is told by every log as the screens told it', () => {
      expect(untold(phone)).toEqual([]);
      expect(untold(left)).toEqual([]);
      expect(untold(right)).toEqual([]);
    });
  },
);

/** Waits until a phone that was running while the two were paired has noticed it. */
async function linked(headset: Device, { address }: Phone): Promise<void> {
  await expect
    .poll(async () => (await headset.run(['doctor', '--json', '--phone', address])).stdout, {
      timeout: 15_000,
    })
    .toMatch(/"hop": "link",\s+"ms": [\d.]+,\s+"ok": true/);
}
