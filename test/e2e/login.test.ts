import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeHostKey } from '../support/sshd.ts';
import { createBench } from '../support/program-driver.ts';
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

const labels = ['private', 'work', 'spare'] as const;
const passphraseOf = (label: string) => `the ${label} passphrase`;
const noSigner = 'vmux: No iPhone signer found.\n';

describe.skipIf(!hasSshd)(
  `a login at a real server${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const keys: Record<string, string> = {};
    let sshd: Sshd;
    let signer: Phone;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      for (const label of labels) {
        keys[label] = await createIdentity(phone, label, passphraseOf(label));
      }
      await sshd.setAuthorizedKeys([keys['work'] ?? '']);
      await knowHost(phone, sshd);
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    const sheetsShown = () => signer.stdout().toString().split('SSH Sign Request').length - 1;
    const signaturesMade = () =>
      eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;
    const logins = () => sshd.log().split('Accepted publickey').length - 1;
    const made = () => ({ sheets: sheetsShown(), signatures: signaturesMade(), logins: logins() });

    it('is possible once the digits of the headset were typed on the phone', async () => {
      const { headset: onHeadset, phone: onPhone } = await pair(headset, phone, {
        headset: 'Vision',
        phone: 'iPhone',
      });
      expect([onHeadset.status, onHeadset.stdout]).toEqual([0, 'paired with iPhone\n']);
      expect([onPhone.status, onPhone.stdout]).toEqual([0, 'paired with Vision\n']);
      signer = await startPhone(phone);
    });

    it('asks with one sheet, for the one identity of three that the server accepts', async () => {
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.expect(
        /SSH Sign Request\n {2}From Vision → 127\.0\.0\.1\n {2}to {4}127\.0\.0\.1, known since \d{4}-\d\d-\d\d\n/,
      );
      const [, label] = await signer.expect(/user {2}root\n {2}key {3}(\S+) {2}SHA256:/);
      expect(label).toBe('work');
      await signer.answer(passphraseOf('work'));
      const { status, stdout, stderr } = await connecting.ended;
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'root\n' });
      expect(stderr).toMatch(
        /^vmux: taking the new host key SHA256:\S+\nWaiting for iPhone signer… \(10 s\)\nWaiting for iPhone signer… code \d\d\n$/,
      );
      expect(made()).toEqual({ sheets: 1, signatures: 1, logins: 1 });
    });

    it("ends with the remote command's exit status", async () => {
      const connecting = headset.start(connectTo(sshd, signer, ['exit', '42']));
      await signer.answer(passphraseOf('work'));
      expect((await connecting.ended).status).toBe(42);
    });

    it('that is denied ends with 255, and nothing was signed and nothing asked again', async () => {
      const before = made();
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.answer('d');
      await signer.expect('denied; nothing was signed');
      const { status, signal, stdout, stderr } = await connecting.ended;
      expect({ status, signal, stdout }).toEqual({ status: 255, signal: null, stdout: '' });
      expect(stderr.replace(/code \d\d$/m, 'code NN')).toBe(
        'Waiting for iPhone signer… (10 s)\n' +
          'Waiting for iPhone signer… code NN\n' +
          'vmux: The request was denied on the phone.\n' +
          'hint: Nothing was signed. Approve it next time.\n',
      );
      expect(made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    it('that nobody answers ends after the ten seconds, and the sheet goes', async () => {
      const before = made();
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.expect(PROMPT);
      const { status, stdout, stderr } = await connecting.ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toContain(
        `${noSigner}hint: The phone showed the request and nobody approved it in time.`,
      );
      await signer.expect(/(expired|withdrawn); nothing was signed/);
      const events = eventsOf(headset).filter(({ stream }) => stream === lastConnection().stream);
      const timeOf = (wanted: string) => events.find(({ type }) => type === wanted)?.at ?? NaN;
      // The phone's clock runs out a quarter of a second before the headset's.
      const seconds = (timeOf('signer.expired') - timeOf('ssh.publickeyWanted')) / 1000;
      expect(Math.round(seconds)).toBe(10);
      expect(made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    const lastConnection = () => {
      const last = runsOf(headset, 'connection').at(-1);
      if (last === undefined) throw new Error('no connection was recorded');
      return last;
    };

    it('with three wrong passphrases is denied', async () => {
      const before = made();
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.answer('wrong one');
      await signer.expect('wrong passphrase, 2 tries left. ');
      await signer.answer('wrong two');
      await signer.expect('wrong passphrase, 1 try left. ');
      await signer.answer('wrong three');
      const { status, stderr } = await connecting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain(
        'vmux: The request was denied on the phone: its owner could not be verified, three times.\n',
      );
      expect(made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    it('with a key that the server does not know is "Permission denied (publickey)"', async () => {
      const before = made();
      await sshd.setAuthorizedKeys([makeHostKey(`${bench.directory}/other`, 'ed25519').publicKey]);
      const { status, stdout, stderr } = await headset.run(connectTo(sshd, signer, ['id', '-un']));
      await sshd.setAuthorizedKeys([keys['work'] ?? '']);
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toContain('vmux: Permission denied (publickey)\nhint: ');
      expect(made()).toEqual(before);
    });

    it('whose identity is disabled under the sheet is refused at once', async () => {
      const before = made();
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.expect(PROMPT);
      expect((await phone.run(['identity', 'disable', 'work'])).status).toBe(0);
      const { status, stderr } = await connecting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain('vmux: The phone refused: that identity is disabled.\n');
      await signer.expect('refused; nothing was signed');
      expect(made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });

    it('leaves a disabled identity out, and finds it again once it is enabled', async () => {
      const before = made();
      const refused = await headset.run(connectTo(sshd, signer, ['id', '-un']));
      expect(refused.stderr).toContain('vmux: Permission denied (publickey)\n');
      expect(made()).toEqual(before);
      await phone.run(['identity', 'enable', 'work']);
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un']));
      await signer.answer(passphraseOf('work'));
      expect((await connecting.ended).stdout).toBe('root\n');
    });

    it('reaches a headset that is linked with every change of the identities', async () => {
      const connecting = headset.start(connectTo(sshd, signer, ['cat']), {});
      await signer.answer(passphraseOf('work'));
      connecting.type('logged in\n');
      await connecting.expect('logged in\n');
      for (const label of labels) await phone.run(['identity', 'disable', label]);
      await expect.poll(offered, { timeout: 10_000 }).toEqual([]);

      const { status, stderr } = await headset.run(
        connectTo(sshd, signer, ['id', '-un'], ['--timeout', '2']),
      );
      expect(status).toBe(255);
      expect(stderr).toContain(`${noSigner}hint: The phone is reachable but offers no identity.`);

      await phone.run(['identity', 'enable', 'work']);
      await expect.poll(offered, { timeout: 10_000 }).toEqual(['work']);
      connecting.endInput();
      expect((await connecting.ended).status).toBe(0);
    });

    /** What the last change of identities that reached a headset left on offer. */
    const offered = () => {
      const change = eventsOf(headset).findLast(({ type }) => type === 'link.identitiesChanged');
      const { identities = [] } = (change?.data ?? {}) as { identities?: { label: string }[] };
      return identities.map(({ label }) => label);
    };

    it('is told by both logs as the screens told it', async () => {
      signer.kill('SIGTERM');
      expect((await signer.ended).status).toBe(143);
      expect(untold(headset)).toEqual([]);
      expect(untold(phone)).toEqual([]);
    });
  },
);
