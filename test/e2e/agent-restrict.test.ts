import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateP256Key } from '../../adapters/keys/p256.ts';
import { publicIdentity } from '../../adapters/keys/public-key.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { addIdentity } from '../../app/phone/records.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { hostKeyPairOfFile } from '../adapters/host-key-examples.ts';
import { connectAgent } from '../support/agent-client.ts';
import { lacking, nextSheet, PASSPHRASE, setUpDesk, type Desk } from '../support/agent-desk.ts';
import { answerWithCode, configureSsh } from '../support/agent-story.ts';
import { createBench } from '../support/program-driver.ts';
import { createIdentity } from '../support/program-story.ts';
import { bindOf, hostboundBytes, newSession } from '../support/proofs.ts';
import { hasSshd, startSshd } from '../support/sshd.ts';

/** Of a test with several approvals, each with its scrypt, on a busy machine. Milliseconds. */
const SEVERAL_LOGINS = { timeout: 90_000 };

/** After OpenSSH's regress/agent.sh, agent-restrict.sh and agent-getpeereid.sh. */
describe.skipIf(!hasSshd)(
  `what vmux agent refuses${hasSshd ? '' : ' [skipped: no OpenSSH server on this machine]'}`,
  () => {
    const bench = createBench();
    let desk: Desk;
    let locked: PublicIdentity;

    beforeAll(async () => {
      desk = await setUpDesk(bench, ['a', 'b']);
    });
    afterAll(async () => {
      await bench.clear();
      await desk?.stopServers();
    });

    const ssh = (...args: string[]) => ['ssh', '-F', desk.config, ...args];
    /** A login to a server as from any host, with the agent that was forwarded there. */
    const onward = (alias: string, command: string, flag = '') =>
      [
        `ssh ${flag} -F none -o BatchMode=yes -o StrictHostKeyChecking=no`,
        '-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR',
        `-p ${desk.servers[alias]?.port} root@127.0.0.1 "${command}"`,
      ].join(' ');
    const overA = () => ssh('-A', 'a', onward('b', 'echo there'));
    const keyOf = (alias: 'a' | 'b') =>
      hostKeyPairOfFile(desk.servers[alias]?.hostKeys.ed25519?.path ?? '');
    const run = (...words: string[]) => desk.start(words).ended;
    const listed = async () =>
      (await run('ssh-add', '-L')).stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[2]);
    const identityCalled = async (label: string) => {
      const { stdout } = await desk.phone.run(['identity', 'list', '--json']);
      const found = (JSON.parse(stdout) as PublicIdentity[]).find((one) => one.label === label);
      if (found === undefined) throw new Error(`no identity is called ${label}`);
      return found;
    };

    async function isTakenOverA(): Promise<void> {
      const { ended } = desk.start(overA());
      await nextSheet(desk.signer);
      await desk.signer.answer(PASSPHRASE);
      expect(await nextSheet(desk.signer)).toContain('  via   a, by agent forwarding');
      await desk.agent.expect('login as root with work: ');
      await answerWithCode(desk.signer, desk.agent, PASSPHRASE);
      expect(await ended).toEqual({ status: 0, signal: null, stdout: 'there\n', stderr: '' });
    }

    async function isRefusedOverA(why: string): Promise<void> {
      const before = desk.made();
      const { end } = await desk.approved(overA());
      expect(end).toMatchObject({ status: 255, stdout: '' });
      expect(end.stderr).toContain('agent refused operation');
      await desk.signer.expect(`root from Vision: refused; nothing was signed (${why})`);
      const { sheets, signatures, logins } = before;
      expect(desk.made()).toEqual({
        sheets: sheets + 1,
        signatures: signatures + 1,
        logins: logins + 1,
      });
    }

    const clientBoundTo = async (alias: 'a' | 'b', isForwarding = false) => {
      const client = await connectAgent(desk.agent.socket);
      const session = newSession();
      expect(await client.bind(bindOf(keyOf(alias), session, { isForwarding }))).toBe(true);
      return { client, session };
    };

    const asNobody = (...words: string[]) =>
      run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...words);
    const unless = lacking('setpriv');
    const isRoot = process.getuid?.() === 0;
    describe.skipIf(!isRoot || unless.skip)(
      `another user${isRoot ? unless.why : ' [skipped: not root]'}`,
      () => {
        it('does not reach the socket', async () => {
          const { status, stdout, stderr } = await asNobody('ssh-add', '-l');
          expect([status, stdout]).toEqual([2, '']);
          expect(stderr).toContain('Permission denied');
        });

        it('does not reach it either where the directories are open', async () => {
          const opened = [
            bench.directory,
            desk.headset.env['HOME'] ?? '',
            dirname(desk.agent.socket),
          ];
          for (const path of opened) chmodSync(path, 0o755);
          try {
            expect(await asNobody('cat', desk.config)).toMatchObject({ status: 0 });
            const { status, stdout, stderr } = await asNobody('ssh-add', '-l');
            expect([status, stdout]).toEqual([2, '']);
            expect(stderr).toContain('Permission denied');
          } finally {
            for (const path of opened) chmodSync(path, 0o700);
          }
          expect(await listed()).toEqual(['work']);
        });
      },
    );

    it('adds, removes, locks and loads nothing, and nobody is asked', async () => {
      const before = desk.made();
      const file = join(bench.directory, 'own');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
      const askpass = join(bench.directory, 'askpass');
      writeFileSync(askpass, '#!/bin/sh\necho secret\n', { mode: 0o755 });
      const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
      for (const args of [
        [file],
        ['-t', '60', file],
        ['-c', file],
        ['-d', desk.keyFile],
        ['-D'],
        ['-x'],
        ['-X'],
        ['-s', '/usr/lib/opensc-pkcs11.so'],
        ['-e', '/usr/lib/opensc-pkcs11.so'],
      ]) {
        const { status } = await desk.start(['ssh-add', ...args], { env }).ended;
        expect([args, status]).toEqual([args, 1]);
      }
      const client = await connectAgent(desk.agent.socket);
      // RFC 9987 §5: add, remove, lock, add with constraints, smartcards, and protocol 1.
      for (const type of [1, 3, 7, 8, 9, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]) {
        expect([type, await client.ask(Buffer.of(type))]).toEqual([type, Buffer.of(5)]);
      }
      client.close();
      expect(await listed()).toEqual(['work']);
      expect(desk.made()).toEqual(before);
    });

    describe('over hosts to which the agent is forwarded', () => {
      it('takes nothing with the policy never', async () => {
        await desk.decide('policy', 'forwarding', 'never');
        await isRefusedOverA('it takes no requests through a forwarded agent');
      });

      it('takes nothing with the policy listed, while the host is not', async () => {
        await desk.decide('policy', 'forwarding', 'listed');
        await isRefusedOverA('the agent was forwarded through a host that is not listed');
      });

      it(
        'takes it once the host is listed, and no longer when it is taken off',
        SEVERAL_LOGINS,
        async () => {
          await desk.decide('policy', 'listed', 'add', 'a');
          await isTakenOverA();
          await desk.decide('policy', 'listed', 'remove', 'a');
          await isRefusedOverA('the agent was forwarded through a host that is not listed');
        },
      );

      it('refuses a way on which one of two hosts is not listed', SEVERAL_LOGINS, async () => {
        await desk.decide('policy', 'listed', 'add', 'a');
        const before = desk.made();
        const inner = onward('a', 'echo there').replaceAll('"', '\\"');
        const { ended } = desk.start(ssh('-A', 'a', onward('b', inner, '-A')));
        await nextSheet(desk.signer);
        await desk.signer.answer(PASSPHRASE);
        expect(await nextSheet(desk.signer)).toContain('  via   a, by agent forwarding');
        await desk.agent.expect('login as root with work: ');
        await answerWithCode(desk.signer, desk.agent, PASSPHRASE);
        expect(await ended).toMatchObject({ status: 255, stdout: '' });
        await desk.signer.expect('through a host that is not listed)');
        expect(desk.made().signatures).toBe(before.signatures + 2);
      });

      it(
        'shows the whole way of a login that comes back to where it began',
        SEVERAL_LOGINS,
        async () => {
          await desk.decide('policy', 'forwarding', 'ask');
          const inner = onward('a', 'echo there').replaceAll('"', '\\"');
          const { ended } = desk.start(ssh('-A', 'a', onward('b', inner, '-A')));
          expect((await nextSheet(desk.signer)).slice(1, 3)).toEqual([
            '  From Vision → a',
            '  to    a, known since DATE',
          ]);
          await desk.signer.answer(PASSPHRASE);
          for (const [to, way] of [
            ['b', 'a'],
            ['a', 'a → b'],
          ]) {
            expect((await nextSheet(desk.signer)).slice(1, 4)).toEqual([
              '  From Vision → (not named)',
              `  to    Known as ${to} since DATE`,
              `  via   ${way}, by agent forwarding`,
            ]);
            await desk.agent.expect('login as root with work: ');
            await answerWithCode(desk.signer, desk.agent, PASSPHRASE);
          }
          expect(await ended).toEqual({ status: 0, signal: null, stdout: 'there\n', stderr: '' });
        },
      );
    });

    describe('with an identity that is locked to one user at one host', () => {
      beforeAll(async () => {
        const line = await createIdentity(desk.phone, 'locked', PASSPHRASE);
        for (const sshd of Object.values(desk.servers)) await sshd.setAuthorizedKeys([line]);
        await desk.decide('identity', 'allow', 'locked', `root@a:${desk.servers['a']?.port}`);
        locked = await identityCalled('locked');
      });

      it('lists all identities to who is bound to no host, and only what may go there to others', async () => {
        await expect.poll(async () => (await listed()).toSorted()).toEqual(['locked', 'work']);
        for (const [alias, isForwarding, comments] of [
          ['a', false, ['locked', 'work']],
          ['b', false, ['work']],
          ['a', true, ['work']],
        ] as const) {
          const { client } = await clientBoundTo(alias, isForwarding);
          // The phone tells of the identity before it tells where it may go.
          await expect.poll(async () => (await client.list()).toSorted()).toEqual(comments);
          client.close();
        }
      });

      it('is not offered to the other host, which would take it', async () => {
        const before = desk.servers['b']?.log().length ?? 0;
        expect(await run(...ssh('b', 'true'))).toMatchObject({ status: 255 });
        const log = desk.servers['b']?.log().slice(before) ?? '';
        expect(log.match(/SHA256:\S+/g)).toEqual([desk.fingerprint]);
      });

      it('is refused for the other host also where the asker knows of it', async () => {
        const before = desk.made();
        const { client, session } = await clientBoundTo('b');
        const bytes = hostboundBytes(locked, session, keyOf('b').blob);
        expect(await client.sign(Buffer.from(locked.publicKey, 'base64'), bytes)).toBeNull();
        await desk.signer.expect(
          'root from Vision: refused; nothing was signed (that identity is locked to other destinations)',
        );
        expect(desk.made()).toEqual(before);
      });

      it('is refused for another user at its host', async () => {
        const before = desk.made();
        const { directory = '' } = desk.servers['a'] ?? {};
        // sshd reads it as that user.
        chmodSync(directory, 0o755);
        chmodSync(join(directory, 'authorized_keys'), 0o644);
        const { status, stderr } = await run(...ssh('-l', 'daemon', 'a', 'true'));
        expect(status).toBe(255);
        expect(stderr).toContain('agent refused operation');
        await desk.signer.expect(
          'daemon@a from Vision: refused; nothing was signed (that identity is locked to other destinations)',
        );
        expect(desk.made()).toEqual(before);
      });

      it('is refused from a host to which the agent is forwarded, and not listed there', async () => {
        for (const sshd of Object.values(desk.servers)) {
          await sshd.setAuthorizedKeys([desk.key]);
        }
        const { end } = await desk.approved(ssh('-A', 'a', 'ssh-add -L'));
        expect(end.stdout).toBe(`${desk.key}\n`);
      });

      it('logs in as that user at that host', async () => {
        await desk.servers['a']?.setAuthorizedKeys([`${locked.algorithm} ${locked.publicKey}`]);
        const { sheet, end } = await desk.approved(ssh('a', 'id', '-un'));
        expect(sheet).toContain(`  key   locked  ${locked.fingerprint}`);
        expect(end).toEqual({ status: 0, signal: null, stdout: 'root\n', stderr: '' });
      });
    });

    it(
      'offers thirty identities five at a time, and from then on the right one first',
      SEVERAL_LOGINS,
      async () => {
        await desk.phone.run(['identity', 'remove', 'locked']);
        const log = openEventLog(join(desk.phone.home, 'events.db'));
        for (let i = 2; i < 30; i += 1) {
          addIdentity(log, publicIdentity(generateP256Key().publicKey, `key-${i}`));
        }
        log.close();
        const line = await createIdentity(desk.phone, 'thirtieth', PASSPHRASE);
        await expect.poll(async () => (await listed()).length, { timeout: 10_000 }).toBe(30);
        const c = await startSshd({ prefix: bench.prefix, authorizedKeys: [line] });
        try {
          await desk.decide('hosts', 'add', `c:${c.port}`, c.hostKeys.ed25519?.publicKey ?? '');
          configureSsh(desk.headset, { ...desk.servers, c });
          let read = 0;
          const logged = (what: string) => c.log().slice(read).split(what).length - 1;
          for (let tries = 1; tries <= 5; tries += 1) {
            read = c.log().length;
            const { status, stderr } = await run(...ssh('c', 'true'));
            expect([status, stderr]).toEqual([
              255,
              'root@127.0.0.1: Permission denied (publickey).\r\n',
            ]);
            expect(logged('Failed publickey')).toBe(5);
          }
          expect((await desk.approved(ssh('c', 'echo in'))).end).toMatchObject({ stdout: 'in\n' });

          read = c.log().length;
          expect((await desk.approved(ssh('c', 'echo again'))).end).toMatchObject({
            status: 0,
            stdout: 'again\n',
          });
          expect(logged('Failed publickey')).toBe(0);
          expect(logged('Accepted publickey')).toBe(1);
          expect(c.log()).not.toContain('Too many authentication failures');
        } finally {
          await c.stop();
        }
      },
    );
  },
);
