import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lacking, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { createBench, type Ended } from '../support/program-driver.ts';
import { hasSshd } from '../support/sshd.ts';

const rsync = lacking('rsync');
const git = lacking('git');

describe.skipIf(!hasSshd)(
  `files by way of vmux agent${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    const text = 'what is copied\n';
    const source = join(bench.directory, 'source');
    const target = join(bench.directory, 'target');
    const repository = join(bench.directory, 'repository.git');
    const clone = join(bench.directory, 'clone');
    let desk: Desk;
    let before: ReturnType<Desk['made']>;

    beforeAll(async () => {
      writeFileSync(source, text);
      desk = await setUpDesk(bench, ['store']);
    });
    afterAll(async () => {
      await bench.clear();
      await desk?.stopServers();
    });
    beforeEach(() => {
      before = desk.made();
    });

    /** One sheet, which named the server, one signature, one login, and the program ended well. */
    function expectOneLogin({ sheet, end }: { sheet: string[]; end: Ended }): void {
      expect(end).toMatchObject({ status: 0, signal: null });
      expect(sheet.slice(0, 5)).toEqual([
        'SSH Sign Request',
        '  From Vision → store',
        '  to    store, known since DATE',
        '  user  root',
        `  key   work  ${desk.fingerprint}`,
      ]);
      expect(desk.made()).toEqual({
        sheets: before.sheets + 1,
        signatures: before.signatures + 1,
        logins: before.logins + 1,
      });
    }

    it('are copied by scp with one approval', async () => {
      const to = `${target}-scp`;
      expectOneLogin(await desk.approved(['scp', '-F', desk.config, source, `store:${to}`]));
      expect(readFileSync(to, 'utf8')).toBe(text);
    });

    it('are copied by sftp with one approval, however many there are', async () => {
      const input = `put ${source} ${target}-sftp-1\nput ${source} ${target}-sftp-2\n`;
      const sftp = ['sftp', '-F', desk.config, '-b', '-', 'store'];
      expectOneLogin(await desk.approved(sftp, { input }));
      expect(readFileSync(`${target}-sftp-1`, 'utf8')).toBe(text);
      expect(readFileSync(`${target}-sftp-2`, 'utf8')).toBe(text);
    });

    it.skipIf(rsync.skip)(`are copied by rsync -e ssh with one approval${rsync.why}`, async () => {
      const to = `${target}-rsync`;
      const words = ['rsync', '-e', `ssh -F ${desk.config}`, source, `store:${to}`];
      expectOneLogin(await desk.approved(words));
      expect(readFileSync(to, 'utf8')).toBe(text);
    });

    describe.skipIf(git.skip)(`in a repository of git${git.why}`, () => {
      const settings = {
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'A',
        GIT_AUTHOR_EMAIL: 'a@example.com',
        GIT_COMMITTER_NAME: 'A',
        GIT_COMMITTER_EMAIL: 'a@example.com',
      };
      let env: Record<string, string>;

      async function quietly(cwd: string, ...words: string[]): Promise<string> {
        const { status, stdout, stderr } = await desk.start(words, { cwd, env }).ended;
        if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
        return stdout.trim();
      }

      beforeAll(async () => {
        env = { ...settings, GIT_SSH_COMMAND: `ssh -F ${desk.config}` };
        await quietly(bench.directory, 'git', 'init', '-q', '--bare', '-b', 'main', repository);
      });

      it('are cloned with one approval', async () => {
        expectOneLogin(
          await desk.approved(['git', 'clone', '-q', `store:${repository}`, clone], { env }),
        );
        expect(await quietly(clone, 'git', 'remote', 'get-url', 'origin')).toBe(
          `store:${repository}`,
        );
      });

      it('are pushed with one approval', async () => {
        await quietly(clone, 'git', 'checkout', '-q', '-B', 'main');
        await quietly(clone, 'git', 'commit', '-q', '--allow-empty', '-m', 'one');
        const push = ['git', 'push', '-q', 'origin', 'main'];
        expectOneLogin(await desk.approved(push, { cwd: clone, env }));
        const [here, there] = await Promise.all([
          quietly(clone, 'git', 'rev-parse', 'main'),
          quietly(repository, 'git', 'rev-parse', 'main'),
        ]);
        expect(there).toBe(here);
      });
    });
  },
);
