import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failures } from '../../machines/failures.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { eventsOf, untold } from '../support/program-logs.ts';
import {
  CODE_PROMPT,
  connectTo,
  createIdentity,
  otherCode,
  pair,
  PROMPT,
  shownCode,
  startPhone,
  type Phone,
} from '../support/program-story.ts';
import { openTerminal, tmuxMissing, type Terminal } from '../support/program-terminal.ts';
import { freePort, hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const skipped = hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]';
const missing = hasSshd ? tmuxMissing : 'no OpenSSH server on this machine';
const passphrase = 'Xyzzy plugh 42';
/** What a person typed by mistake; no state directory and no screen may have it. */
const mistaken = 'Qwrtz magic 172';
/** Two secrets and a code take longer than one glance. */
const patiently = ['--timeout', '30'];
const busyMachine = { timeout: 40_000 };

const signaturesMade = (phone: Device) =>
  eventsOf(phone).filter(({ type }) => type === 'xstate.done.actor.keys').length;

function enter(terminal: Terminal, text: string): void {
  terminal.type(text);
  terminal.press('Enter');
}

/** The line that asks for it, at the end of a screen's row; `dots`: what follows. */
const codePrompt = (dots: string) =>
  new RegExp(`type the code that Vision ${RegExp.escape(CODE_PROMPT.trimEnd())}${dots}$`, 'm');

/** The files of a state directory that have these bytes. */
const filesWith = ({ home }: Device, text: string) =>
  readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(home, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });

describe.skipIf(!hasSshd)(
  `a login at a host that is new to the phone${skipped}`,
  busyMachine,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    let sshd: Sshd;
    let signer: Phone;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', passphrase)]);
      await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
      signer = await startPhone(phone);
    });
    afterAll(async () => {
      await bench.clear();
      await sshd?.stop();
    });

    const connect = () => headset.start(connectTo(sshd, signer, ['id', '-un'], patiently));
    const knownHosts = async () =>
      JSON.parse((await phone.run(['hosts', 'list', '--json'])).stdout) as unknown[];

    it('asks for the code that the headset shows, then for the passphrase', async () => {
      const connecting = connect();
      const code = await shownCode(connecting);
      const [sheet] = await signer.expect(/SSH Sign Request\n[^]*? s left\n/);
      expect(sheet.split('\n').slice(1, -3)).toEqual([
        '  From Vision → 127.0.0.1  (said by Vision)',
        expect.stringMatching(/^ {2}to {4}New host: SHA256:\S{43} was never seen here$/),
        '  user  root',
        expect.stringMatching(/^ {2}key {3}work {2}SHA256:\S{43}$/),
      ]);
      expect(sheet).toContain(
        `  pin   no  (p + Enter: remember this host as 127.0.0.1:${sshd.port})\n`,
      );
      await signer.answerCode(mistaken);
      await signer.answerCode(code);
      await signer.answer(passphrase);
      expect(await connecting.ended).toMatchObject({ status: 0, stdout: 'root\n' });
      expect(signaturesMade(phone)).toBe(1);
      expect(await knownHosts()).toEqual([]);
    });

    it('with three wrong codes is denied, and nothing was signed', async () => {
      const before = signaturesMade(phone);
      const connecting = connect();
      const wrong = otherCode(await shownCode(connecting));
      await signer.answerCode(wrong);
      await signer.expect('wrong code, 2 tries left. ');
      await signer.answerCode(wrong);
      await signer.expect('wrong code, 1 try left. ');
      await signer.answerCode(wrong);
      await signer.expect('root@127.0.0.1 from Vision: denied; nothing was signed\n');
      const { status, stdout, stderr } = await connecting.ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      const { message, hint } = failures.wrongCode;
      expect(stderr).toMatch(
        new RegExp(`code \\d\\d\nvmux: ${RegExp.escape(message)}\nhint: ${RegExp.escape(hint)}\n$`),
      );
      expect(signaturesMade(phone)).toBe(before);
    });

    it('is denied with d instead of the code', async () => {
      const before = signaturesMade(phone);
      const connecting = connect();
      await signer.answerCode('d');
      const { status, stderr } = await connecting.ended;
      expect(status).toBe(255);
      expect(stderr).toContain(`vmux: ${failures.denied.message}\n`);
      expect(signaturesMade(phone)).toBe(before);
    });

    it('pins the host with p', async () => {
      const connecting = connect();
      await signer.answerCode(await shownCode(connecting));
      await signer.answer('p');
      await signer.expect('  will remember this host\n');
      signer.type(`${passphrase}\n`);
      expect(await connecting.ended).toMatchObject({ status: 0, stdout: 'root\n' });
      expect(await knownHosts()).toEqual([
        {
          name: '127.0.0.1',
          port: sshd.port,
          keyType: 'ssh-ed25519',
          fingerprint: expect.stringMatching(/^SHA256:\S{43}$/),
          isCa: false,
          since: expect.any(Number),
        },
      ]);
    });

    it('is known at the next login, without a code', async () => {
      const connecting = connect();
      await signer.expect(
        /From Vision → 127\.0\.0\.1\n {2}to {4}127\.0\.0\.1, known since \d{4}-\d\d-\d\d\n/,
      );
      const code = await shownCode(connecting);
      await signer.expect(`  code  ${code}  (the same as on Vision)\n`);
      const [asked] = await signer.expect(/\n {2}.*denies: \n/);
      expect(asked).toBe(`\n  ${PROMPT}\n`);
      signer.type(`${passphrase}\n`);
      expect(await connecting.ended).toMatchObject({ status: 0, stdout: 'root\n' });
    });

    it('keeps what was typed for a code out of every log and screen', async () => {
      signer.kill('SIGTERM');
      await signer.ended;
      for (const secret of [mistaken, passphrase]) {
        expect(filesWith(phone, secret)).toEqual([]);
        expect(filesWith(headset, secret)).toEqual([]);
        expect(phone.screen()).not.toContain(secret);
        expect(headset.screen()).not.toContain(secret);
      }
      expect(untold(phone)).toEqual([]);
      expect(untold(headset)).toEqual([]);
    });
  },
);

describe.skipIf(missing !== null)(
  `a new host at two real terminals${missing === null ? '' : ` [skipped: ${missing}]`}`,
  busyMachine,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    const terminals: Terminal[] = [];
    let sshd: Sshd;
    let onPhone: Terminal;
    let onHeadset: Terminal;
    let connect = '';

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      await sshd.setAuthorizedKeys([await createIdentity(phone, 'work', passphrase)]);
      await pair(headset, phone, { headset: 'Vision', phone: 'iPhone' });
      const address = `127.0.0.1:${await freePort()}`;
      connect = `vmux ${connectTo(sshd, { address }, [], patiently).join(' ')}`;
      onPhone = await openTerminal(phone);
      onHeadset = await openTerminal(headset);
      terminals.push(onPhone, onHeadset);
      enter(onPhone, `signer start --listen 127.0.0.1 --port ${address.split(':')[1]}`);
      await onPhone.shows('listening on port');
    });
    afterAll(async () => {
      for (const terminal of terminals) terminal.close();
      await bench.clear();
      await sshd?.stop();
    });

    const overlay = /Waiting for iPhone signer… \d+ s\n.*look at your phone · code (\d\d) · /;

    it('goes from the code in the overlay, typed on the phone, to the shell', async () => {
      enter(onHeadset, connect);
      await onPhone.shows(/ {2}to {4}New host: SHA256:/);
      const [, code = ''] = await onHeadset.shows(overlay);
      await onPhone.shows(codePrompt(''));
      onPhone.type(mistaken);
      await onPhone.shows(codePrompt(String.raw`\n +⋯ •{15}`));
      onPhone.press('Enter');
      await onPhone.shows(codePrompt(''));
      expect(signaturesMade(phone)).toBe(0);

      enter(onPhone, otherCode(code));
      await onPhone.shows('wrong code, 2 tries left. type the code');
      enter(onPhone, code);
      await onPhone.shows(/^ {2}passphrase \+ Enter approves, d \+ Enter denies:$/m);
      await onPhone.shows(
        / {2}pin {3}no {2}\(p \+ Enter: remember this host as 127\.0\.0\.1:\d+\)/,
      );
      enter(onPhone, 'p');
      await onPhone.shows(
        / {2}pin {3}yes, remember this host as 127\.0\.0\.1:\d+ {2}\(p \+ Enter: no\)/,
      );
      enter(onPhone, 'p');
      await onPhone.shows(/ {2}pin {3}no {2}\(p/);
      enter(onPhone, 'p');
      await onPhone.shows(/ {2}pin {3}yes/);
      enter(onPhone, passphrase);
      await onPhone.shows('root@127.0.0.1 from Vision: signed');
      await onHeadset.shows(/^[^ ]*[#$]$/m);
      enter(onHeadset, 'exit');
      await onHeadset.shows(/^ready\$$/m);
    });

    it('is known at the next login, which shows its code and asks for none', async () => {
      enter(onHeadset, `clear; ${connect}`);
      await onPhone.shows(/ {2}to {4}127\.0\.0\.1, known since \d{4}-\d\d-\d\d\n/);
      const [, code = ''] = await onHeadset.shows(overlay);
      await onPhone.shows(`  code  ${code}  (the same as on Vision)`);
      await onPhone.shows(/passphrase \+ Enter approves, d \+ Enter denies:$/m);
      expect(onPhone.screen()).not.toContain('type the code');
      onPhone.press('Escape');
      await onHeadset.shows(`✖ ${failures.denied.message}`);
      onHeadset.press('q');
      await onHeadset.shows(/^ready\$$/m);
      expect(signaturesMade(phone)).toBe(1);
    });

    it('never showed or stored what was typed for the code', async () => {
      onPhone.press('C-c');
      await onPhone.shows(/^ready\$$/m);
      for (const terminal of terminals) terminal.close();
      for (const secret of [mistaken, passphrase]) {
        expect(onPhone.written()).not.toContain(secret.slice(0, 3));
        expect(onHeadset.written()).not.toContain(secret.slice(0, 3));
        expect(filesWith(phone, secret)).toEqual([]);
        expect(filesWith(headset, secret)).toEqual([]);
      }
      expect(untold(phone)).toEqual([]);
      expect(untold(headset)).toEqual([]);
    });
  },
);
