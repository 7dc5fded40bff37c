import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSessionBinds, type BindVerdict } from '../../adapters/agent/session-binds.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import {
  bindRequest,
  makeHost,
  startAgent,
  startAsker,
  SUCCESS,
  FAILURE,
  tampered,
  temporaryDirectory,
} from './agent-examples.ts';

const hosts = [makeHost(), makeHost()] as const;
const [host, otherHost] = hosts;
const session = (number: number) => Buffer.alloc(32, number);

function verify(bind: SessionBind): BindVerdict {
  const holder = hosts.find(({ keyBlob }) => keyBlob.equals(bind.hostKey));
  if (holder === undefined) return 'unsupported';
  return holder.holds(bind) ? 'valid' : 'invalid';
}

function bindAll(...binds: (SessionBind | null)[]) {
  const socket = createSessionBinds(verify);
  const answers = binds.map((bind) => socket.bind(bind));
  return { answers, recorded: socket.recorded, hasFailed: socket.hasFailed() };
}

describe('a session-bind', () => {
  const first = host.bind(session(1), true);
  const login = host.bind(session(2), false);

  test('that the server has signed is recorded', () => {
    expect(bindAll(login)).toEqual({ answers: [true], recorded: [login], hasFailed: false });
  });

  test('whose signature is not the server’s is refused, and the socket remembers it', () => {
    expect(bindAll(tampered(first), first)).toEqual({
      answers: [false, true],
      recorded: [first],
      hasFailed: true,
    });
  });

  test('that is malformed is refused, and the socket remembers it', () => {
    expect(bindAll(null)).toEqual({ answers: [false], recorded: [], hasFailed: true });
  });

  test('of a key that cannot be checked is recorded, though the asker hears of failure', () => {
    const unknown = { ...login, hostKey: Buffer.from('rsa') };
    expect(bindAll(unknown)).toEqual({ answers: [false], recorded: [unknown], hasFailed: false });
  });

  test('that comes again is recorded once', () => {
    expect(bindAll(first, first)).toEqual({
      answers: [true, true],
      recorded: [first],
      hasFailed: false,
    });
  });

  test('of a session that is bound to another key is refused', () => {
    expect(bindAll(first, otherHost.bind(session(1), true))).toEqual({
      answers: [true, false],
      recorded: [first],
      hasFailed: true,
    });
  });

  test('of another session with the same key is another hop', () => {
    expect(bindAll(first, login)).toEqual({
      answers: [true, true],
      recorded: [first, login],
      hasFailed: false,
    });
  });

  test.each([
    ['another session', otherHost.bind(session(3), true)],
    ['the same session, now forwarding', host.bind(session(2), true)],
    ['the very same bind', login],
  ])('is refused once the socket was bound to log in: %s', (_what, bind) => {
    expect(bindAll(first, login, bind)).toEqual({
      answers: [true, true, false],
      recorded: [first, login],
      hasFailed: true,
    });
  });

  test('is refused after sixteen others', () => {
    const binds = Array.from({ length: 17 }, (_, i) => host.bind(session(i), true));
    expect(bindAll(...binds)).toEqual({
      answers: [...Array.from({ length: 16 }, () => true), false],
      recorded: binds.slice(0, 16),
      hasFailed: true,
    });
  });

  test('is invalid when its check throws', () => {
    const socket = createSessionBinds(() => {
      throw new Error('cannot');
    });
    expect(socket.bind(first)).toBe(false);
    expect(socket.hasFailed()).toBe(true);
  });
});

test('a socket knows its own binds only', async () => {
  const { path, asked } = await startAgent({ verifyBind: verify });
  const bound = await startAsker(path);
  const unbound = await startAsker(path);
  const bind = host.bind(session(1), false);
  const sign = Buffer.from('0d000000000000000000000000', 'hex');
  expect(await bound.ask(bindRequest(bind))).toEqual(SUCCESS);
  expect(await unbound.ask(bindRequest(tampered(bind)))).toEqual(FAILURE);
  await bound.ask(sign);
  await unbound.ask(sign);
  expect(asked.map(({ connection }) => [connection.binds, connection.bindFailed])).toEqual([
    [[bind], false],
    [[], true],
  ]);
  const ids = asked.map(({ connection }) => connection.id);
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
});

const hasSshAgent = spawnSync('ssh-agent', ['-?'], { stdio: 'ignore' }).error === undefined;

describe.skipIf(!hasSshAgent)(
  `OpenSSH’s ssh-agent${hasSshAgent ? '' : ' (skipped: no ssh-agent on this machine)'}`,
  () => {
    test('gives the same answers to the same binds', async () => {
      const theirs = join(temporaryDirectory(), 'ssh-agent.sock');
      const child = spawn('ssh-agent', ['-D', '-a', theirs], { stdio: 'ignore' });
      onTestFinished(async () => {
        child.kill();
        await once(child, 'close');
      });
      while (!existsSync(theirs)) await sleep(10);
      const { path: ours } = await startAgent({ verifyBind: verify });

      const bind = fc.record({
        host: fc.constantFrom(...hosts),
        session: fc.integer({ min: 1, max: 3 }),
        isForwarding: fc.boolean(),
        isTampered: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(bind, { minLength: 1, maxLength: 8 }), async (binds) => {
          const answers = [];
          for (const path of [theirs, ours]) {
            const asker = await startAsker(path);
            const here = [];
            for (const { host, session: number, isForwarding, isTampered } of binds) {
              const made = host.bind(session(number), isForwarding);
              here.push(await asker.ask(bindRequest(isTampered ? tampered(made) : made)));
            }
            answers.push(here);
            asker.socket.destroy();
          }
          expect(answers[1]).toEqual(answers[0]);
        }),
        { numRuns: 300 },
      );
    });
  },
);
