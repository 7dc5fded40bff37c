import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf, lacking, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { createBench } from '../support/program-driver.ts';
import { hasSshd } from '../support/sshd.ts';

const clients = [
  { name: 'plink', lack: lacking('plink') },
  { name: 'dbclient', lack: lacking('dbclient') },
] as const;

const reasonAtTheAgent =
  'login as root with work: The phone refused: nothing proves where the login goes.\n' +
  'hint: Its policy demands proof. Use OpenSSH 8.9 or later on both sides, or, there, ' +
  'signer policy require-proof off.\n';

describe.skipIf(!hasSshd)(
  `clients that bind nothing${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
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

    function logIn(client: (typeof clients)[number]['name']): string[] {
      const { port, hostKeys } = desk.servers['web']!;
      const hostKey = fingerprintOf(`${hostKeys.ed25519?.path}.pub`);
      const words = ['root@127.0.0.1', 'echo', 'in'];
      return client === 'plink'
        ? ['plink', '-agent', '-batch', '-hostkey', hostKey, '-P', String(port), ...words]
        : ['dbclient', '-y', '-p', String(port), ...words];
    }

    describe.each(clients)('$name', ({ name, lack }) => {
      it.skipIf(lack.skip)(
        `logs in, on a sheet that says that nothing proves where it goes${lack.why}`,
        async () => {
          const before = desk.made();
          const { sheet, end } = await desk.approved(logIn(name));
          expect(sheet).toEqual([
            'SSH Sign Request',
            '  From Vision → (not named)',
            '  to    Not proven: the program that asks shows no proof of where this goes',
            '  user  root',
            `  key   work  ${desk.fingerprint}`,
            '  code  CODE  (the same as on Vision)',
            '  N s left',
          ]);
          expect(end).toMatchObject({ status: 0, stdout: 'in\n' });
          expect(desk.made()).toEqual({
            sheets: before.sheets + 1,
            signatures: before.signatures + 1,
            logins: before.logins + 1,
          });
        },
      );
    });

    it('are refused once the phone demands proof', async () => {
      const before = desk.made();
      await desk.decide('policy', 'require-proof', 'on');
      expect(desk.made()).toEqual(before);
    });

    function isRefused({ name, lack }: (typeof clients)[number]): void {
      it.skipIf(lack.skip)(
        `${name} is refused then without a sheet, both sides say why, and nothing is signed${lack.why}`,
        async () => {
          const before = desk.made();
          const { status, stdout } = await desk.start(logIn(name)).ended;
          expect(status).not.toBe(0);
          expect(stdout).toBe('');
          await desk.signer.expect(
            'root from Vision: refused; nothing was signed (nothing proves where the login goes)\n',
          );
          await desk.agent.expect(reasonAtTheAgent);
          expect(desk.made()).toEqual(before);
        },
      );
    }

    isRefused(clients[0]);

    it('ssh, which proves where it goes, still logs in', async () => {
      const before = desk.made();
      const { sheet, end } = await desk.approved(['ssh', '-F', desk.config, 'web', 'echo', 'in']);
      expect(sheet).toContain('  to    web, known since DATE');
      expect(end).toMatchObject({ status: 0, stdout: 'in\n' });
      expect(desk.made().signatures).toBe(before.signatures + 1);
    });

    isRefused(clients[1]);

    it.skipIf(clients[1].lack.skip)(
      `the phone says it once, and the agent each time${clients[1].lack.why}`,
      async () => {
        const before = desk.made();
        await desk.start(logIn('dbclient')).ended;
        await desk.agent.expect(reasonAtTheAgent);
        expect(desk.signer.unread()).toBe('');
        expect(desk.made()).toEqual(before);
      },
    );
  },
);
