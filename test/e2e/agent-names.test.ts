import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextSheet, PASSPHRASE, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { CODE_PROMPT } from '../support/agent-story.ts';
import { createBench } from '../support/program-driver.ts';
import { PROMPT } from '../support/program-story.ts';
import { openTerminal, tmuxMissing } from '../support/program-terminal.ts';
import { hasSshd } from '../support/sshd.ts';

describe.skipIf(!hasSshd)(
  `the name on the sheet${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
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
    const port = () => String(desk.servers['web']?.port);
    const sheetOf = (host: string, to: string, count = '') => [
      `SSH Sign Request${count}`,
      `  From Vision → ${host}`,
      `  to    ${to}`,
      '  user  root',
      `  key   work  ${desk.fingerprint}`,
      '  code  CODE  (the same as on Vision)',
      '  N s left',
    ];
    const notes = () => {
      const folder = join(desk.headset.home, 'agent', 'notes');
      return existsSync(folder) ? readdirSync(folder) : [];
    };

    it.skipIf(tmuxMissing !== null)(
      `is the one typed, and the code is the one in the terminal${tmuxMissing === null ? '' : ` [skipped: ${tmuxMissing}]`}`,
      async () => {
        const terminal = await openTerminal(desk.headset);
        try {
          terminal.type(`ssh -F '${desk.config}' web echo logged in`);
          terminal.press('Enter');
          const [, code] = await terminal.shows(/^Waiting for iPhone signer… code (\d\d)$/m);
          await desk.signer.expect('  From Vision → web\n  to    web, known since ');
          await desk.signer.expect(`\n  code  ${code}  (the same as on Vision)\n`);
          await desk.signer.answer(PASSPHRASE);
          await terminal.shows(/^logged in$/m);
          await desk.agent.expect(
            `login as root@web with work: Waiting for iPhone signer… code ${code}\n`,
          );
        } finally {
          terminal.close();
        }
      },
    );

    it('is the one typed where known_hosts has no names', async () => {
      const knownHosts = join(desk.headset.env['HOME'] ?? '', '.ssh', 'known_hosts');
      execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
      expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
      const { sheet, end } = await desk.approved(ssh('web', 'echo', 'in'));
      expect(sheet).toEqual(sheetOf('web', 'web, known since DATE'));
      expect(end.stdout).toBe('in\n');
    });

    it('is another than the one known when the server is called so', async () => {
      const { sheet, end } = await desk.approved(ssh('-p', port(), 'root@127.0.0.1', 'echo', 'in'));
      expect(sheet).toEqual(
        sheetOf(
          '127.0.0.1  (said by Vision)',
          'Known as web since DATE, asked for as 127.0.0.1',
        ).toSpliced(
          5,
          1,
          '  code  CODE  (the same as on Vision)',
          '  pin   no  (p + Enter: remember this host as 127.0.0.1:' + port() + ')',
        ),
      );
      expect(end.stdout).toBe('in\n');
    });

    it('is learnt with the key once p was answered, and then known', async () => {
      const { agent, signer } = desk;
      await desk.decide('hosts', 'remove', `web:${port()}`);
      const first = desk.start(ssh('web', 'echo', 'in'));
      expect((await nextSheet(signer))[2]).toMatch(
        /^ {2}to {4}New host: SHA256:\S+ was never seen here$/,
      );
      const [, code = ''] = await agent.expect(/login as root@web with work: .* code (\d\d)\n/);
      await signer.expect(CODE_PROMPT);
      signer.type(`${code}\n`);
      await signer.expect(PROMPT);
      signer.type('p\n');
      await signer.expect('will remember this host\n');
      signer.type(`${PASSPHRASE}\n`);
      expect((await first.ended).stdout).toBe('in\n');
      const { sheet } = await desk.approved(ssh('web', 'echo', 'in'));
      expect(sheet).toEqual(sheetOf('web', 'web, known since DATE'));
    });

    it('is none when two logins at once give one server two', async () => {
      const { agent, signer } = desk;
      appendFileSync(
        desk.config,
        `Host other\n  HostName 127.0.0.1\n  Port ${port()}\n  User root\n`,
      );
      const before = desk.made();
      // Held up until both have been named: the first one to ask would take its name otherwise.
      agent.kill('SIGSTOP');
      const both = [desk.start(ssh('web', 'true')), desk.start(ssh('other', 'true'))];
      await expect.poll(() => notes().length, { timeout: 2_500, interval: 20 }).toBe(2);
      agent.kill('SIGCONT');
      expect((await nextSheet(signer)).slice(1)).toEqual(
        sheetOf('(not named)', 'Known as web since DATE').slice(1),
      );
      await signer.answer('d');
      await signer.expect('root from Vision: all 2 denied; nothing was signed\n');
      for (const { ended } of both) expect((await ended).status).toBe(255);
      expect(desk.made()).toEqual({ ...before, sheets: before.sheets + 1 });
    });
  },
);
