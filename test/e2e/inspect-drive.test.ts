import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { expectState, openPage, type OpenPage } from '../support/inspector-story.ts';
import { createBench } from '../support/program-driver.ts';
import { runsOf } from '../support/program-logs.ts';
import { connectTo, type Phone, PROMPT, readyToLogIn } from '../support/program-story.ts';
import { openTerminal, tmuxMissing, type Terminal } from '../support/program-terminal.ts';
import { hasSshd, startSshd, type Sshd } from '../support/sshd.ts';

const passphrase = 'a quiet passphrase';
const missing =
  chromiumMissing ?? tmuxMissing ?? (hasSshd ? null : 'no OpenSSH server on this machine');

describe.skipIf(missing !== null)(
  `a connection driven from the inspector's page${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const bench = createBench();
    const headset = bench.device('vmux');
    const phone = bench.device('signer');
    let sshd: Sshd;
    let signer: Phone;
    let browser: Browser;
    let terminal: Terminal;
    let opened: OpenPage;

    beforeAll(async () => {
      sshd = await startSshd({ prefix: bench.prefix });
      signer = await readyToLogIn(headset, phone, sshd, passphrase);
      // The headset knows from then on where the phone is, and the host key.
      const first = headset.start(connectTo(sshd, signer, ['true']));
      await signer.answer(passphrase);
      await first.ended;
      const where = `root@${sshd.address}:${sshd.port}`;
      await headset.run(['hosts', 'add', 'web', where, '--timeout', '20']);
      browser = await openBrowser(bench.directory, bench.prefix);
      terminal = await openTerminal(headset);
      terminal.type('vmux inspect --no-open\n');
      const [, address = ''] = await terminal.wrote(/the inspector is at (file:\S+)/);
      opened = await openPage(browser, address);
    });
    afterAll(async () => {
      await browser?.close();
      terminal?.close();
      await bench.clear();
      await sshd?.stop();
    });

    const press = (name: string) =>
      opened.page.getByRole('button', { name, exact: true }).click({ timeout: 5_000 });
    const isEnabled = (name: string) =>
      opened.page.getByRole('button', { name, exact: true }).isEnabled();
    const connections = () => runsOf(headset, 'connection').map(({ value }) => value);

    it('opens its shell in the terminal that inspects', async () => {
      const { page } = opened;
      expect(await page.getByLabel('saved host').inputValue()).toBe('web');
      await press('Connect');
      await terminal.wrote('the page asks for web; its shell opens here');
      await signer.answer(passphrase);
      await expectState(page, 'headset', 'session › connected');
      expect([await isEnabled('Connect'), await isEnabled('Cancel')]).toEqual([false, false]);
      terminal.type('echo shell-$((40 + 2)); exit\n');
      await terminal.wrote('shell-42');
      await terminal.wrote('the inspector goes on; Ctrl-C ends it');
      await expectState(page, 'headset', 'disconnected');
      expect(connections()).toEqual(['disconnected', 'disconnected']);
    });

    it('is cancelled by the page, and the phone takes its sheet away', async () => {
      const { page } = opened;
      await expect.poll(() => isEnabled('Connect')).toBe(true);
      await press('Connect');
      await signer.expect(PROMPT);
      await expectState(page, 'headset', 'session › awaitingSigner › awaitingFaceId');
      await press('Cancel');
      await expectState(page, 'headset', 'disconnected');
      await signer.expect('withdrawn');
      await terminal.wrote('the inspector goes on; Ctrl-C ends it');
      expect(runsOf(headset, 'connection').at(-1)).toMatchObject({
        value: 'disconnected',
        reason: 'cancelled',
      });
    });

    it('is opened again by Reconnect, in the same run when it had only failed', async () => {
      const { page } = opened;
      await expect.poll(() => isEnabled('Reconnect')).toBe(true);
      await press('Reconnect');
      await signer.answer('d');
      await expectState(page, 'headset', 'denied');
      const before = connections().length;
      await terminal.shows('The request was denied on the phone.');
      await press('Reconnect');
      await signer.answer(passphrase);
      await expectState(page, 'headset', 'session › connected');
      expect(connections()).toHaveLength(before);
      terminal.type('exit\n');
      await expectState(page, 'headset', 'disconnected');
    });

    it('offers a host as soon as it is saved, and no other', async () => {
      const { page } = opened;
      await headset.run(['hosts', 'add', 'later', 'root@192.0.2.1']);
      const hosts = page.getByLabel('saved host').locator('option');
      await expect.poll(() => hosts.allTextContents()).toEqual(['web', 'later']);
      const asked = await page.evaluate(async () => {
        const body = JSON.stringify({ do: 'connect', host: 'root@192.0.2.1' });
        const headers = { 'Content-Type': 'application/json' };
        const answer = await fetch('api/drive', { method: 'POST', headers, body });
        return [answer.status, await answer.json()];
      });
      expect(asked).toEqual([409, { error: 'no host of that name is saved' }]);
    });

    it('leaves the terminal sane when the inspector ends', async () => {
      await terminal.wrote('the inspector goes on; Ctrl-C ends it');
      terminal.press('C-c');
      await terminal.wrote('ready$ ');
      terminal.type('stty -a | grep -o " icanon\\| echo "\n');
      await terminal.wrote(/ icanon\s+echo/);
      await expect
        .poll(() => opened.page.locator('.live').textContent())
        .toBe('the inspector has ended');
    });
  },
);
