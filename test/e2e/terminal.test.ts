import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBench } from '../support/program-driver.ts';
import { eventsOf, runsOf, untold } from '../support/program-logs.ts';
import {
  connectTo,
  type Phone,
  PROMPT,
  startPhone,
  readyToLogIn,
} from '../support/program-story.ts';
import { openTerminal, tmuxMissing, type Terminal } from '../support/program-terminal.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const missing = hasSshd ? tmuxMissing : 'no OpenSSH server on this machine';
const passphrase = 'four words and more';

describe.skipIf(missing !== null)(
  `vmux in a real terminal${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const terminals: Terminal[] = [];
    let sshd: Sshd;
    let signer: Phone;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      signer = await readyToLogIn(headset, phone, sshd, passphrase);
    });
    afterAll(async () => {
      for (const terminal of terminals) terminal.close();
      await bench.clear();
      await sshd?.stop();
    });

    async function open(): Promise<Terminal> {
      const terminal = await openTerminal(headset);
      terminals.push(terminal);
      return terminal;
    }
    const connect = (...options: string[]) =>
      `vmux ${connectTo(sshd, signer, [], options).join(' ')}`;
    const signaturesMade = () =>
      eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;

    it('shows the overlay, gives the shell and follows its size', async () => {
      const terminal = await open();
      terminal.type(connect());
      terminal.press('Enter');
      await terminal.shows(
        /Waiting for iPhone signer… \d+ s\n.*look at your phone · code \d\d · {2}Esc {2}Cancel/,
      );
      await signer.answer(passphrase);
      await terminal.shows(/^[^ ]*[#$]$/m);
      expect(terminal.screen()).not.toContain('Waiting');
      terminal.type("PS1='remote$ '; clear; stty size");
      terminal.press('Enter');
      await terminal.shows(/^24 80$/m);
      terminal.resize(100, 30);
      await expect
        .poll(() => {
          terminal.type('clear; stty size');
          terminal.press('Enter');
          return terminal.shows(/^\d+ \d+$/m).then(([size]) => size);
        })
        .toBe('30 100');
    });

    it('runs a full-screen program, which redraws itself in the new size', async () => {
      const [terminal] = terminals;
      if (terminal === undefined) throw new Error('there is no shell');
      terminal.type('clear; seq 200 | less');
      terminal.press('Enter');
      await terminal.shows(/^29\n:/m);
      terminal.resize(60, 12);
      await terminal.shows(/^11\n:/m);
      terminal.type('G');
      await terminal.shows(/^200\n/m);
      terminal.type('q');
      await terminal.shows('remote$');
    });

    it('keeps a connected shell when the phone dies, and ends with its status', async () => {
      const [terminal] = terminals;
      if (terminal === undefined) throw new Error('there is no shell');
      signer.kill('SIGKILL');
      await signer.ended;
      terminal.type('clear; echo still $((40 + 2))');
      terminal.press('Enter');
      await terminal.shows(/^still 42$/m);
      terminal.type('exit 7');
      terminal.press('Enter');
      await terminal.shows(/^ready\$$/m);
      terminal.type('s=$?; clear; echo status $s');
      terminal.press('Enter');
      await terminal.shows(/^status 7$/m);
      signer = await startPhone(phone);
    });

    it('reconnects with r on the link that is open, and the phone asks again', async () => {
      const terminal = await open();
      const before = { signatures: signaturesMade(), links: runsOf(headset, 'link').length };
      terminal.type(connect());
      terminal.press('Enter');
      await signer.answer('d');
      await terminal.shows(
        /✖ The request was denied on the phone\.\n(.*\n)+ +r {2}Reconnect {3}q {2}Quit/,
      );
      expect(signaturesMade()).toBe(before.signatures);
      terminal.press('r');
      await terminal.shows('Waiting for iPhone signer…');
      await signer.answer(passphrase);
      await terminal.shows(/^[^ ]*[#$]$/m);
      terminal.type('exit');
      terminal.press('Enter');
      await terminal.shows(/^ready\$$/m);
      expect(signaturesMade()).toBe(before.signatures + 1);
      const links = runsOf(headset, 'link');
      expect(links).toHaveLength(before.links + 1);
      const { stream } = links.at(-1) ?? { stream: '' };
      const established = eventsOf(headset).filter(
        (event) => event.stream === stream && event.type === 'link.established',
      );
      expect(established).toHaveLength(1);
      expect(runsOf(headset, 'connection').at(-1)?.value).toBe('disconnected');
    });

    for (const { key, name, status } of [
      { key: 'C-c', name: 'Ctrl-C', status: 130 },
      { key: 'Escape', name: 'Esc', status: 255 },
    ]) {
      it(`with ${name} while it waits withdraws the sheet and leaves the terminal sane`, async () => {
        const before = signaturesMade();
        const terminal = await open();
        const sane = await modes(terminal);
        terminal.type(connect());
        terminal.press('Enter');
        await terminal.shows('look at your phone');
        await signer.expect(PROMPT);
        terminal.press(key);
        await signer.expect('withdrawn; nothing was signed');
        await terminal.shows(/^ready\$$/m);
        terminal.type('s=$?; clear; echo status $s');
        terminal.press('Enter');
        await terminal.shows(new RegExp(`^status ${status}$`, 'm'));
        expect(await modes(terminal)).toBe(sane);
        expect(signaturesMade()).toBe(before);
      });
    }

    it('withdraws the sheet when its window is closed', async () => {
      const before = signaturesMade();
      const terminal = await open();
      terminal.type(connect());
      terminal.press('Enter');
      await signer.expect(PROMPT);
      terminal.close();
      await signer.expect('withdrawn; nothing was signed');
      expect(signaturesMade()).toBe(before);
      await expect
        .poll(() => runsOf(headset, 'connection').at(-1))
        .toMatchObject({ value: 'disconnected', reason: 'cancelled', end: 'app.stopped' });
    });

    it('asks about an unknown host key, and goes no further without a yes', async () => {
      const other = await startSshd({ prefix: bench.prefix });
      try {
        const terminal = await open();
        const where = connectTo(other, signer).filter((word) => !word.startsWith('--accept'));
        terminal.type(`vmux ${where.join(' ')}`);
        terminal.press('Enter');
        await terminal.shows(
          /The authenticity of host '127\.0\.0\.1:\d+' can't be established\.\nssh-ed25519 key fingerprint is SHA256:/,
        );
        terminal.press('n');
        await terminal.shows('✖ The host key was not confirmed.');
        terminal.press('q');
        await terminal.shows(/^ready\$$/m);
        terminal.close();
      } finally {
        await other.stop();
      }
    });

    it('tells on its screens what its log tells', async () => {
      signer.kill('SIGTERM');
      await signer.ended;
      for (const terminal of terminals) terminal.close();
      await expect.poll(() => untold(headset)).toEqual([]);
      expect(untold(phone)).toEqual([]);
    });
  },
);

/** The terminal's modes, as it is at the shell's prompt. */
async function modes(terminal: Terminal): Promise<string> {
  terminal.press('Enter');
  terminal.type('clear; stty -a; echo E""ND');
  terminal.press('Enter');
  await terminal.shows(/END\n/);
  return terminal.screen();
}
