import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAgentServer } from '../../adapters/agent/agent-server.ts';
import type { AgentSocketProblem } from '../../adapters/agent/socket-path.ts';
import { listRequest, startAsker, temporaryDirectory } from './agent-examples.ts';

const isRoot = process.getuid?.() === 0;

function makeServer() {
  const server = createAgentServer({
    listIdentities: () => [],
    sign: async () => null,
    verifyBind: () => 'valid',
  });
  onTestFinished(() => server.close());
  return server;
}

async function listen(path: string) {
  const server = makeServer();
  await server.listen(path);
  return server;
}

const mode = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

async function serves(path: string): Promise<boolean> {
  const asker = await startAsker(path);
  return (await asker.ask(listRequest)) !== null;
}

async function isRefused(path: string, problem: AgentSocketProblem, message: string) {
  await expect(makeServer().listen(path)).rejects.toMatchObject({
    name: 'AgentSocketError',
    problem,
    message,
  });
}

/** What a killed agent leaves behind: a socket that nothing listens at. */
function leaveDeadSocket(path: string): void {
  const program = `require('node:net').createServer().listen(process.argv[1],
    () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, path]);
  expect(lstatSync(path).isSocket()).toBe(true);
}

describe('the socket', () => {
  test('is its owner’s alone, in a directory that is made so', async () => {
    const directory = join(temporaryDirectory(), 'made', 'deep');
    const path = join(directory, 'agent.sock');
    await listen(path);
    expect([mode(directory), mode(path)]).toEqual(['700', '600']);
    expect(readdirSync(directory)).toEqual(['agent.sock']);
    expect(await serves(path)).toBe(true);
  });

  test('is gone when the agent has closed, and can be made again', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    const first = await listen(path);
    await first.close();
    await first.close();
    expect(existsSync(path)).toBe(false);
    await listen(path);
    expect(await serves(path)).toBe(true);
  });

  test('of a dead agent is replaced', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    leaveDeadSocket(path);
    await listen(path);
    expect(await serves(path)).toBe(true);
  });

  test('of a living agent is left alone', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    await listen(path);
    await isRefused(path, 'inUse', `${path} is in use`);
    expect(await serves(path)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['agent.sock']);
  });

  test('belongs to one of two agents that start together', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    const results = await Promise.allSettled([listen(path), listen(path)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results).toContainEqual({
      status: 'rejected',
      reason: expect.objectContaining({ problem: 'inUse' }),
    });
    expect(await serves(path)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(['agent.sock']);
  });

  test('stays when another has taken its path meanwhile', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    const first = await listen(path);
    renameSync(path, `${path}.old`);
    await listen(path);
    await first.close();
    expect(await serves(path)).toBe(true);
  });
});

describe('what is at the path and is no socket stays untouched', () => {
  test('a file', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    writeFileSync(path, 'a letter');
    await isRefused(path, 'unusable', `${path} exists and is no socket`);
    expect(readFileSync(path, 'utf8')).toBe('a letter');
  });

  test('a directory', async () => {
    const path = join(temporaryDirectory(), 'agent.sock');
    mkdirSync(path);
    await isRefused(path, 'unusable', `${path} exists and is no socket`);
    expect(lstatSync(path).isDirectory()).toBe(true);
  });

  test('a symbolic link, even to a dead socket', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'agent.sock');
    const dead = join(directory, 'dead.sock');
    leaveDeadSocket(dead);
    symlinkSync(dead, path);
    await isRefused(path, 'unusable', `${path} exists and is no socket`);
    expect(readdirSync(directory).toSorted()).toEqual(['agent.sock', 'dead.sock']);
  });
});

describe('the directory is refused', () => {
  test.each(['750', '705', '710', '701', '777'])('with mode %s', async (given) => {
    const directory = temporaryDirectory();
    chmodSync(directory, Number.parseInt(given, 8));
    await isRefused(
      join(directory, 'agent.sock'),
      'directoryTooOpen',
      `${directory} is open to others: chmod 700 ${directory}`,
    );
    expect(readdirSync(directory)).toEqual([]);
  });

  test('when it is a file, or is in one', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    for (const directory of [file, join(file, 'deeper')]) {
      const path = join(directory, 'agent.sock');
      await isRefused(path, 'notADirectory', `${directory} is not a directory`);
    }
  });

  test('behind a symbolic link by what is there, not by the link', async () => {
    const parent = temporaryDirectory();
    const [directory, name] = [join(parent, 'directory'), join(parent, 'link')];
    mkdirSync(directory, { mode: 0o755 });
    symlinkSync(directory, name);
    const path = join(name, 'agent.sock');
    await isRefused(path, 'directoryTooOpen', `${name} is open to others: chmod 700 ${name}`);
    chmodSync(directory, 0o700);
    await listen(path);
    expect(await serves(path)).toBe(true);
  });
});

test('a path that no socket address can hold is refused', async () => {
  const path = join(temporaryDirectory(), 'x'.repeat(110));
  await isRefused(
    path,
    'unusable',
    expect.stringMatching(/ is longer than 10[37] bytes$/) as never,
  );
});

describe.skipIf(!isRoot)(`another user${isRoot ? '' : ' (skipped: needs root)'}`, () => {
  test('with a directory of theirs is refused', async () => {
    const directory = temporaryDirectory();
    chownSync(directory, 65534, 65534);
    const path = join(directory, 'agent.sock');
    await isRefused(path, 'anotherUser', `${directory} belongs to another user`);
  });

  test('cannot connect, not even where the directory lets them', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'agent.sock');
    await listen(path);
    const asNobody = () =>
      spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'ssh-add', '-l'], {
        env: { ...process.env, SSH_AUTH_SOCK: path },
        encoding: 'utf8',
      });
    expect(asNobody()).toMatchObject({
      status: 2,
      stderr: 'Error connecting to agent: Permission denied\n',
    });
    chmodSync(directory, 0o755);
    expect(asNobody()).toMatchObject({
      status: 2,
      stderr: 'Error connecting to agent: Permission denied\n',
    });
    const own = connect(path);
    await once(own, 'connect');
    own.destroy();
  });
});
