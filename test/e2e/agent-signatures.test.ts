import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacking, nextSheet, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { createBench } from '../support/program-driver.ts';
import { hasSshd } from '../support/sshd.ts';

const git = lacking('git');
const person = 'a@example.com';

describe.skipIf(!hasSshd)(
  `signatures on data by way of vmux agent${hasSshd ? '' : ' [skipped: no OpenSSH here]'}`,
  () => {
    const bench = createBench();
    const allowedSigners = join(bench.directory, 'allowed_signers');
    let desk: Desk;

    beforeAll(async () => {
      desk = await setUpDesk(bench, []);
      writeFileSync(allowedSigners, `${person} ${desk.key}\n`);
    });
    afterAll(() => bench.clear());

    const sheetFor = (namespace: string) => [
      'SSH Sign Request',
      '  From Vision',
      '  for   a signature on data that nobody sees here; this is no login',
      `  key   work  ${desk.fingerprint}`,
      `  also  namespace ${namespace}`,
      '  code  CODE  (the same as on Vision)',
      '  N s left',
    ];

    function fileToSign(name: string): string {
      const file = join(bench.directory, name);
      writeFileSync(file, `what ${name} says\n`);
      return file;
    }
    const sign = (namespace: string, file: string) => [
      'ssh-keygen',
      '-Y',
      'sign',
      '-n',
      namespace,
      '-f',
      desk.keyFile,
      file,
    ];
    const verifyWords = (namespace: string, file: string) =>
      `ssh-keygen -Y verify -n ${namespace} -f ${allowedSigners} -I ${person} -s ${file}.sig`;
    const verify = (namespace: string, file: string, input: string) =>
      desk.start(verifyWords(namespace, file).split(' '), { input }).ended;

    it.each(['git', 'file'])(
      'show the namespace %s, and ssh-keygen -Y verify takes them for no other',
      async (namespace) => {
        const before = desk.made();
        const file = fileToSign(`signed-for-${namespace}`);
        const { sheet, end } = await desk.approved(sign(namespace, file));
        expect(sheet).toEqual(sheetFor(namespace));
        expect(end).toMatchObject({ status: 0, stdout: '' });
        const data = readFileSync(file, 'utf8');
        expect(await verify(namespace, file, data)).toMatchObject({
          status: 0,
          stdout: `Good "${namespace}" signature for ${person} with ECDSA key ${desk.fingerprint}\n`,
        });
        expect((await verify('other', file, data)).status).toBe(255);
        expect((await verify(namespace, file, `${data}more`)).status).toBe(255);
        expect(desk.made()).toEqual({
          sheets: before.sheets + 1,
          signatures: before.signatures + 1,
          logins: 0,
        });
      },
    );

    it('that are denied leave no file, and nothing was signed', async () => {
      const before = desk.made();
      const file = fileToSign('denied');
      const { ended } = desk.start(sign('file', file));
      expect(await nextSheet(desk.signer)).toEqual(sheetFor('file'));
      await desk.signer.answer('d');
      await desk.signer.expect('a signature from Vision: denied; nothing was signed\n');
      const { status, stdout, stderr } = await ended;
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toMatch(/^Couldn't sign message.*: agent refused operation$/m);
      expect(existsSync(`${file}.sig`)).toBe(false);
      expect(desk.made()).toEqual({ ...before, sheets: before.sheets + 1 });
      await desk.agent.expect(
        'a signature with work: The request was denied on the phone.\n' +
          'hint: Nothing was signed. Approve it next time.\n',
      );
    });

    it.skipIf(git.skip)(`of git commits are good to git verify-commit${git.why}`, async () => {
      const cwd = join(bench.directory, 'repository');
      const env = { GIT_CONFIG_NOSYSTEM: '1' };
      const run = (...words: string[]) => desk.start(['git', ...words], { env }).ended;
      expect((await run('init', '-q', cwd)).status).toBe(0);
      const settings = {
        'user.name': 'A',
        'user.email': person,
        'gpg.format': 'ssh',
        'gpg.ssh.allowedSignersFile': allowedSigners,
        'user.signingKey': desk.keyFile,
      };
      for (const [name, value] of Object.entries(settings)) {
        expect((await run('-C', cwd, 'config', name, value)).status).toBe(0);
      }
      const commit = ['git', '-C', cwd, 'commit', '-q', '-S', '--allow-empty', '-m', 'one'];
      const { sheet, end } = await desk.approved(commit, { env });
      expect(sheet).toEqual(sheetFor('git'));
      expect(end).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
      expect(await run('-C', cwd, 'verify-commit', 'HEAD')).toEqual({
        status: 0,
        signal: null,
        stdout: '',
        stderr: `Good "git" signature for ${person} with ECDSA key ${desk.fingerprint}\n`,
      });
    });
  },
);
