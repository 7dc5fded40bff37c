import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextSheet, PASSPHRASE, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { answerWithCode } from '../support/agent-story.ts';
import { createBench } from '../support/program-driver.ts';
import { hasSshd } from '../support/sshd.ts';

describe.skipIf(!hasSshd)(
  `vmux agent over hops${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    let desk: Desk;

    beforeAll(async () => {
      desk = await setUpDesk(bench, ['hop', 'inner']);
    });
    afterAll(async () => {
      await bench.clear();
      await desk?.stopServers();
    });

    const ssh = (...args: string[]) => ['ssh', '-F', desk.config, ...args];
    /** A login to `inner` as from any host: with the agent that was forwarded there. */
    const onward = () =>
      [
        'ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null',
        `-o LogLevel=ERROR -p ${desk.servers['inner']?.port} root@127.0.0.1 echo there`,
      ].join(' ');
    const toKnown = (host: string) => [
      'SSH Sign Request',
      `  From Vision → ${host}`,
      `  to    ${host}, known since DATE`,
      '  user  root',
      `  key   work  ${desk.fingerprint}`,
      '  code  CODE  (the same as on Vision)',
      '  N s left',
    ];

    it('asks for each hop of -J on a sheet of its own', async () => {
      const before = desk.made();
      const { ended } = desk.start(ssh('-J', 'hop', 'inner', 'id', '-un'));
      expect(await nextSheet(desk.signer)).toEqual(toKnown('hop'));
      await desk.signer.answer(PASSPHRASE);
      expect(await nextSheet(desk.signer)).toEqual(toKnown('inner'));
      await desk.signer.answer(PASSPHRASE);
      expect(await ended).toEqual({ status: 0, signal: null, stdout: 'root\n', stderr: '' });
      expect(desk.made()).toEqual({
        sheets: before.sheets + 2,
        signatures: before.signatures + 2,
        logins: before.logins + 2,
      });
    });

    it('shows the way that a login from a host of -A takes, and asks for the code', async () => {
      const { agent, signer } = desk;
      const { ended } = desk.start(ssh('-A', 'hop', onward()));
      expect(await nextSheet(signer)).toEqual(toKnown('hop'));
      await signer.answer(PASSPHRASE);
      expect(await nextSheet(signer)).toEqual([
        'SSH Sign Request',
        '  From Vision → (not named)',
        '  to    Known as inner since DATE',
        '  via   hop, by agent forwarding',
        '  user  root',
        `  key   work  ${desk.fingerprint}`,
        '  N s left',
      ]);
      await agent.expect('login as root with work: ');
      await answerWithCode(signer, agent, PASSPHRASE);
      expect(await ended).toEqual({ status: 0, signal: null, stdout: 'there\n', stderr: '' });
    });

    it('refuses a login from a host of -A once the phone forbids it, and nothing is signed for it', async () => {
      const { agent, signer } = desk;
      await desk.decide('policy', 'forwarding', 'never');
      const before = desk.made();
      const { sheet, end } = await desk.approved(ssh('-A', 'hop', onward()));
      expect(sheet).toEqual(toKnown('hop'));
      expect(end).toMatchObject({ status: 255, stdout: '' });
      expect(end.stderr).toContain('agent refused operation');
      await signer.expect('root from Vision: refused; nothing was signed (');
      await agent.expect(
        'login as root with work: The phone refused: it takes no requests through a forwarded agent.\n',
      );
      expect(desk.made()).toEqual({
        sheets: before.sheets + 1,
        signatures: before.signatures + 1,
        logins: before.logins + 1,
      });
    });
  },
);
