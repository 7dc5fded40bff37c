import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fingerprintOf,
  nextSheet,
  PASSPHRASE,
  setUpDesk,
  type Desk,
} from '../support/agent-desk.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { eventsOf } from '../support/program-logs.ts';
import { createIdentity, pair, PROMPT, startPhone } from '../support/program-story.ts';
import { hasSshd } from '../support/sshd.ts';

/** Milliseconds from a request to its expiry. */
const EXPIRES = 10_000;

/** What both kinds of list say of that one key. */
const both = (fingerprint: string, key: string) => [
  [0, `256 ${fingerprint} work (ECDSA)\n`],
  [0, `${key}\n`],
];

/** When the last event of that type was recorded; milliseconds. */
const timeOf = (device: Device, wanted: string) =>
  eventsOf(device).findLast(({ type }) => type === wanted)?.at ?? NaN;

describe.skipIf(!hasSshd)(
  `what vmux agent lists and gives up${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    let desk: Desk;

    beforeAll(async () => {
      desk = await setUpDesk(bench, ['web']);
    });
    afterAll(async () => {
      await bench.clear();
      await desk?.stopServers();
    });

    const ssh = (...args: string[]) => ['ssh', '-F', desk.config, ...args];
    const listed = async () => {
      const [short, long] = await Promise.all(
        ['-l', '-L'].map((option) => desk.start(['ssh-add', option]).ended),
      );
      return [short, long].map((end) => [end?.status, end?.stdout]);
    };

    it('a login that is denied fails in the words of ssh, and nothing was signed', async () => {
      const before = desk.made();
      const { ended } = desk.start(ssh('web', 'true'));
      await desk.signer.answer('d');
      await desk.signer.expect('root@web from Vision: denied; nothing was signed\n');
      const { status, stdout, stderr } = await ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toMatch(
        /^sign_and_send_pubkey: signing failed for ECDSA "work" from agent: agent refused operation\r?\nroot@127\.0\.0\.1: Permission denied \(publickey\)\.\r?\n$/,
      );
      expect(desk.made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    it('a login whose ssh is killed is withdrawn from the phone, long before it expires', async () => {
      const before = desk.made();
      const { child, ended } = desk.start(ssh('web', 'true'));
      await nextSheet(desk.signer);
      await desk.signer.expect(PROMPT);
      child.kill('SIGKILL');
      await desk.signer.expect('root@web from Vision: withdrawn; nothing was signed\n');
      expect((await ended).signal).toBe('SIGKILL');
      const received = timeOf(desk.phone, 'request.received');
      const gone = timeOf(desk.headset, 'asker.gone');
      const withdrawn = timeOf(desk.phone, 'request.withdrawn');
      expect(gone).toBeGreaterThanOrEqual(received);
      expect(withdrawn).toBeGreaterThanOrEqual(gone);
      expect(withdrawn).toBeLessThan(gone + EXPIRES / 2);
      expect(eventsOf(desk.phone).some(({ type }) => type === 'request.expired')).toBe(false);
      expect(desk.made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    it('the keys of a phone that is there are listed', async () => {
      expect(await listed()).toEqual(both(desk.fingerprint, desk.key));
    });

    it('and are still listed while it is away', async () => {
      desk.signer.kill('SIGTERM');
      await desk.signer.ended;
      await desk.agent.expect('the phone is not linked\n');
      expect(await listed()).toEqual(both(desk.fingerprint, desk.key));
    });

    it('and vanish when it was wiped and paired again under its name', async () => {
      rmSync(desk.phone.home, { recursive: true });
      const key = await createIdentity(desk.phone, 'work', PASSPHRASE);
      await pair(desk.headset, desk.phone, { headset: 'Vision', phone: 'iPhone' });
      const none = [1, 'The agent has no identities.\n'];
      expect(await listed()).toEqual([none, none]);
      desk.agent.skip();
      const port = Number(desk.signer.address.split(':')[1]);
      const signer = await startPhone(desk.phone, port);
      await desk.agent.expect('linked with iPhone\n');
      const keyFile = join(bench.directory, 'new.pub');
      writeFileSync(keyFile, `${key}\n`);
      const fingerprint = fingerprintOf(keyFile);
      expect(fingerprint).not.toBe(desk.fingerprint);
      expect(await listed()).toEqual(both(fingerprint, key));
      signer.kill('SIGTERM');
    });
  },
);
