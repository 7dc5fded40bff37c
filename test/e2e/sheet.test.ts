import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench } from '../support/program-driver.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import { connectTo, createIdentity, knowHost, pair } from '../support/program-story.ts';
import { openTerminal, tmuxMissing, type Terminal } from '../support/program-terminal.ts';
import { freePort, hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const missing = hasSshd ? tmuxMissing : 'no OpenSSH server on this machine';
const passphrase = 'Xyzzy plugh 42';

describe.skipIf(missing !== null)(
  `the sheet in a real terminal${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const terminals: Terminal[] = [];
    const signer = { address: '' };
    let sshd: Sshd;
    let terminal: Terminal;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', passphrase)]);
      await knowHost(phone, sshd);
      await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
      signer.address = `127.0.0.1:${await freePort()}`;
      terminal = await start();
    });
    afterAll(async () => {
      for (const one of terminals) one.close();
      await bench.clear();
      await sshd?.stop();
    });

    async function start(): Promise<Terminal> {
      const opened = await openTerminal(phone);
      terminals.push(opened);
      opened.type(`signer start --listen 127.0.0.1 --port ${signer.address.split(':')[1]}`);
      opened.press('Enter');
      await opened.shows('listening on port');
      return opened;
    }
    const connect = () => headset.start(connectTo(sshd, signer, ['id', '-un']));
    const ready = /passphrase \+ Enter approves, d \+ Enter denies:/;

    it('counts down, shows dots for the passphrase and goes when it was signed', async () => {
      const connecting = connect();
      await terminal.shows(
        /SSH Sign Request\n {2}From Vision → 127\.0\.0\.1\n {2}to {4}127\.0\.0\.1, known since [\d-]+\n {2}user {2}root\n {2}key {3}work {2}SHA256:/,
      );
      await terminal.shows(/ {2}[1-8] s left/);
      await terminal.shows(ready);
      terminal.type(passphrase);
      await terminal.shows(/denies: •{14}$/m);
      terminal.press('BSpace');
      await terminal.shows(/denies: •{13}$/m);
      terminal.type(passphrase.slice(-1));
      terminal.press('Enter');
      await terminal.shows('root@127.0.0.1 from Vision: signed');
      expect(await connecting.ended).toMatchObject({ status: 0, stdout: 'root\n' });
      expect(terminal.screen()).not.toContain('SSH Sign Request');
      expect(terminal.written()).not.toContain('Xyz');
    });

    it('takes a wrong passphrase back, and d denies', async () => {
      const connecting = connect();
      await terminal.shows(ready);
      terminal.type('nothing of the kind');
      terminal.press('Enter');
      await terminal.shows('wrong passphrase, 2 tries left.');
      terminal.type('d');
      terminal.press('Enter');
      await terminal.shows('root@127.0.0.1 from Vision: denied; nothing was signed');
      expect((await connecting.ended).status).toBe(255);
    });

    it('vanishes when the headset gives up', async () => {
      const connecting = connect();
      await terminal.shows(ready);
      connecting.kill('SIGINT');
      await terminal.shows('root@127.0.0.1 from Vision: withdrawn; nothing was signed');
      expect(terminal.screen()).not.toContain('SSH Sign Request');
      expect((await connecting.ended).status).toBe(130);
    });

    it('is answered by nobody once the window was closed', async () => {
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un'], ['--timeout', '3']));
      await terminal.shows(ready);
      const made = eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;
      terminal.close();
      const { status, stderr } = await connecting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain('vmux: No iPhone signer found.\n');
      await expect.poll(() => runsOf(phone, 'signer').at(-1)?.end).toBe('app.stopped');
      const after = eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;
      expect(after).toBe(made);
    });

    it('leaves the terminal as it was, also when it ends under a sheet', async () => {
      terminal = await start();
      const connecting = headset.start(connectTo(sshd, signer, ['id', '-un'], ['--timeout', '3']));
      await terminal.shows(ready);
      terminal.type('half a pass');
      terminal.press('C-c');
      await terminal.shows(/^ready\$$/m);
      terminal.type('s=$?; clear; echo status $s; stty -a | grep -wo -e echo -e icanon -e isig');
      terminal.press('Enter');
      await terminal.shows(/^status 130\n(isig\nicanon\necho|isig icanon echo)/m);
      expect(terminal.screen()).not.toContain('half');
      expect((await connecting.ended).status).toBe(255);
    });

    it('told what the log tells', async () => {
      for (const one of terminals) one.close();
      expect(untold(phone)).toEqual([]);
      expect(untold(headset)).toEqual([]);
    });
  },
);
