import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacking, nextSheet, PASSPHRASE, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { createBench } from '../support/program-driver.ts';
import { openTerminal, tmuxMissing } from '../support/program-terminal.ts';
import { hasSshd } from '../support/sshd.ts';

const mosh = lacking('mosh', 'mosh-server', 'mosh-client');
const moshMissing = mosh.skip ? mosh.why : tmuxMissing === null ? '' : ` [skipped: ${tmuxMissing}]`;

describe.skipIf(!hasSshd)(
  `stock ssh by way of vmux agent${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
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
    const sheetOfWeb = () => [
      'SSH Sign Request',
      '  From Vision → web',
      '  to    web, known since DATE',
      '  user  root',
      `  key   work  ${desk.fingerprint}`,
      '  code  CODE  (the same as on Vision)',
      '  N s left',
    ];

    it('logs in with one approval, on a sheet that names the host as typed', async () => {
      const { sheet, end } = await desk.approved(ssh('web', 'id', '-un'));
      expect(sheet).toEqual(sheetOfWeb());
      expect(end).toEqual({ status: 0, signal: null, stdout: 'root\n', stderr: '' });
      expect(desk.made()).toEqual({ sheets: 1, signatures: 1, logins: 1 });
    });

    it('needs no signature for the second session of a shared connection', async () => {
      const before = desk.made();
      const shared = ssh('-S', `${bench.directory}/control`);
      const { sheet, end } = await desk.approved([...shared, '-M', '-f', '-N', 'web']);
      expect(sheet).toEqual(sheetOfWeb());
      expect(end).toMatchObject({ status: 0, stdout: '' });
      const once = {
        sheets: before.sheets + 1,
        signatures: before.signatures + 1,
        logins: before.logins + 1,
      };
      expect(desk.made()).toEqual(once);
      const second = await desk.start([...shared, 'web', 'id', '-un']).ended;
      expect(second).toEqual({ status: 0, signal: null, stdout: 'root\n', stderr: '' });
      const over = await desk.start([...shared, '-O', 'exit', 'web']).ended;
      expect(over.status).toBe(0);
      expect(desk.made()).toEqual(once);
    });

    it.skipIf(moshMissing !== '')(
      `mosh needs one approval, for its login${moshMissing}`,
      async () => {
        const before = desk.made();
        const terminal = await openTerminal(desk.headset);
        try {
          const shell =
            "timeout --foreground 30 sh -c 'echo in by mosh; read line; echo said $line; read line'";
          terminal.type(`mosh --ssh="ssh -F '${desk.config}'" web -- ${shell}`);
          terminal.press('Enter');
          expect(await nextSheet(desk.signer)).toEqual(sheetOfWeb());
          await desk.signer.answer(PASSPHRASE);
          await terminal.shows('in by mosh');
          terminal.type('hello');
          terminal.press('Enter');
          await terminal.shows('said hello');
          terminal.press('Enter');
          await terminal.shows('[mosh is exiting.]');
        } finally {
          terminal.close();
        }
        expect(desk.made()).toEqual({
          sheets: before.sheets + 1,
          signatures: before.signatures + 1,
          logins: before.logins + 1,
        });
      },
    );
  },
);
