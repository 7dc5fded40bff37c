import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AgentSignRequest } from '../../adapters/agent/agent-server.ts';
import {
  extension,
  FAILURE,
  framed,
  listRequest,
  signRequest,
  signResponse,
  startAgent,
  startAsker,
} from './agent-examples.ts';
import { str, u32 } from './keys-examples.ts';

const noIdentities = Buffer.from('0c00000000', 'hex');

/** Signatures that come when the test gives them. */
function pendingSigns() {
  const pending: PromiseWithResolvers<Uint8Array | null>[] = [];
  const sign = () => {
    const next = Promise.withResolvers<Uint8Array | null>();
    pending.push(next);
    return next.promise;
  };
  return {
    sign,
    pending,
    async settle(index: number, signature: string | null) {
      await vi.waitFor(() => expect(pending.length).toBeGreaterThan(index));
      pending[index]?.resolve(signature === null ? null : Buffer.from(signature));
    },
  };
}

async function firstOf(asked: AgentSignRequest[]): Promise<AgentSignRequest> {
  await vi.waitFor(() => expect(asked).not.toHaveLength(0));
  return asked[0] as AgentSignRequest;
}

async function isAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

describe('the agent', () => {
  test('lists the identities that it is given, by the connection that asks', async () => {
    const connections: string[] = [];
    const { path } = await startAgent({
      listIdentities({ id }) {
        connections.push(id);
        return [{ keyBlob: Buffer.from('blob'), comment: 'phone' }];
      },
    });
    const asker = await startAsker(path);
    const answer = Buffer.concat([Buffer.of(12), u32(1), str('blob'), str('phone')]);
    expect(await asker.ask(listRequest)).toEqual(answer);
    expect(await asker.ask(listRequest)).toEqual(answer);
    expect(connections[0]).toBe(connections[1]);
  });

  test('passes a challenge on as it is, and the signature back', async () => {
    const { path, asked } = await startAgent({ sign: async () => Buffer.from('signature') });
    const asker = await startAsker(path);
    const request = Buffer.concat([Buffer.of(13), str('key'), str('challenge'), u32(4)]);
    expect(await asker.ask(request)).toEqual(signResponse('signature'));
    expect(asked).toEqual([
      {
        connection: expect.objectContaining({ binds: [], bindFailed: false }),
        keyBlob: Buffer.from('key'),
        data: Buffer.from('challenge'),
        flags: 4,
      },
    ]);
  });

  test('says failure when there is no signature', async () => {
    const answers = [
      async () => null,
      () => Promise.reject(new Error('denied')),
      () => {
        throw new Error('a bug');
      },
    ];
    const { path } = await startAgent({ sign: () => (answers.shift() ?? (async () => null))() });
    const asker = await startAsker(path);
    for (let i = 0; i < 3; i += 1) expect(await asker.ask(signRequest('x'))).toEqual(FAILURE);
  });

  test('says failure when the list cannot be had, or is longer than an answer can be', async () => {
    const lists = [
      () => {
        throw new Error('a bug');
      },
      () => [{ keyBlob: Buffer.alloc(256 * 1024), comment: '' }],
    ];
    const { path } = await startAgent({ listIdentities: () => lists.shift()?.() ?? [] });
    const asker = await startAsker(path);
    expect(await asker.ask(listRequest)).toEqual(FAILURE);
    expect(await asker.ask(listRequest)).toEqual(FAILURE);
    expect(await asker.ask(listRequest)).toEqual(noIdentities);
  });

  test('names its extensions', async () => {
    const { path } = await startAgent();
    const asker = await startAsker(path);
    const names = ['query', 'query', 'session-bind@openssh.com'].map((name) => str(name));
    expect(await asker.ask(extension('query'))).toEqual(Buffer.concat([Buffer.of(29), ...names]));
  });

  test('refuses every other request, and goes on serving', async () => {
    const { path, asked } = await startAgent();
    const asker = await startAsker(path);
    for (let type = 0; type < 256; type += 1) {
      if ([11, 13, 27].includes(type)) continue;
      expect(await asker.ask(Buffer.concat([Buffer.of(type), str('x'), str('y')]))).toEqual(
        FAILURE,
      );
    }
    expect(await asker.ask(extension('lock@example.com'))).toEqual(FAILURE);
    expect(await asker.ask(listRequest)).toEqual(noIdentities);
    expect(asked).toEqual([]);
  });

  test('refuses what is malformed inside its frame, and goes on serving', async () => {
    const { path, asked } = await startAgent();
    const asker = await startAsker(path);
    const whole = signRequest('challenge');
    for (let length = 1; length < whole.length; length += 1) {
      expect(await asker.ask(whole.subarray(0, length))).toEqual(FAILURE);
    }
    expect(await asker.ask(Buffer.concat([whole, Buffer.of(0)]))).toEqual(FAILURE);
    expect(await asker.ask(Buffer.concat([listRequest, Buffer.of(0)]))).toEqual(FAILURE);
    expect(await asker.ask(listRequest)).toEqual(noIdentities);
    expect(asked).toEqual([]);
  });

  test.each([0, 256 * 1024 + 1, 0xffffffff])(
    'answers what came before a frame of length %i, then closes',
    async (length) => {
      const { path } = await startAgent();
      const asker = await startAsker(path);
      asker.socket.write(Buffer.concat([framed(listRequest), u32(length), framed(listRequest)]));
      expect(await asker.answer()).toEqual(noIdentities);
      expect(await asker.answer()).toBeNull();
    },
  );
});

describe('the order of answers', () => {
  test('is that of the requests, although a later one could be answered at once', async () => {
    const signs = pendingSigns();
    const { path } = await startAgent({ sign: signs.sign });
    const asker = await startAsker(path);
    const requests = [signRequest('1'), listRequest, signRequest('2'), Buffer.of(99)];
    asker.socket.write(Buffer.concat(requests.map((request) => framed(request))));
    await signs.settle(0, 'one');
    expect(await asker.answer()).toEqual(signResponse('one'));
    expect(await asker.answer()).toEqual(noIdentities);
    await signs.settle(1, null);
    expect(await asker.answer()).toEqual(FAILURE);
    expect(await asker.answer()).toEqual(FAILURE);
  });

  test('asks for one signature of a socket at a time, and for those of two at once', async () => {
    const signs = pendingSigns();
    const { path } = await startAgent({ sign: signs.sign });
    const [one, other] = [await startAsker(path), await startAsker(path)];
    one.socket.write(Buffer.concat([framed(signRequest('1')), framed(signRequest('2'))]));
    await vi.waitFor(() => expect(signs.pending).toHaveLength(1));
    other.socket.write(framed(signRequest('3')));
    await signs.settle(1, 'three');
    expect(await other.answer()).toEqual(signResponse('three'));
    expect(signs.pending).toHaveLength(2);
    await signs.settle(0, 'one');
    expect(await one.answer()).toEqual(signResponse('one'));
    await signs.settle(2, 'two');
    expect(await one.answer()).toEqual(signResponse('two'));
  });
});

describe('an asker that sends without end', () => {
  const batch = framed(signRequest(Buffer.alloc(100 * 1024)));

  test('is read no further while its first request waits, and loses nothing', async () => {
    const signs = pendingSigns();
    const { path } = await startAgent({ sign: signs.sign });
    const asker = await startAsker(path);
    const count = 50;
    for (let i = 0; i < count; i += 1) asker.socket.write(batch);
    await vi.waitFor(() => expect(signs.pending).toHaveLength(1));
    await sleep(300);
    // What neither the agent nor the kernel has taken: most of it.
    expect(asker.socket.writableLength).toBeGreaterThan((count * batch.length) / 2);
    for (let i = 0; i < count; i += 1) {
      await signs.settle(i, String(i));
      expect(await asker.answer()).toEqual(signResponse(String(i)));
    }
    expect(signs.pending).toHaveLength(count);
  });

  test('is read no further while it does not take its answers', async () => {
    let answers = 0;
    const { path } = await startAgent({
      listIdentities() {
        answers += 1;
        return [{ keyBlob: Buffer.alloc(100 * 1024), comment: '' }];
      },
    });
    const socket = connect(path);
    onTestFinished(() => void socket.destroy());
    socket.pause();
    for (let i = 0; i < 1000; i += 1) socket.write(framed(listRequest));
    await sleep(300);
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThan(20);
  });
});

describe('an asker that goes', () => {
  test('is noticed when its process is killed, and its answer is not waited for', async () => {
    const { path, asked } = await startAgent({ sign: () => new Promise(() => undefined) });
    const program = `require('node:net').connect(process.argv[1])
      .write(Buffer.from(process.argv[2], 'hex'))`;
    const request = framed(signRequest('challenge')).toString('hex');
    const child = spawn(process.execPath, ['-e', program, path, request]);
    const { connection } = await firstOf(asked);
    expect(connection.gone.aborted).toBe(false);
    child.kill('SIGKILL');
    await isAborted(connection.gone);
  });

  test.each([
    ['that has closed its socket', (socket: import('node:net').Socket) => socket.destroy()],
    ['that has closed its writing half', (socket: import('node:net').Socket) => socket.end()],
  ])('%s is noticed behind more requests than are looked at', async (_how, leave) => {
    const { path, asked } = await startAgent({ sign: () => new Promise(() => undefined) });
    const asker = await startAsker(path);
    const requests = Array.from({ length: 40 }, (_, i) => framed(signRequest(String(i))));
    asker.socket.write(Buffer.concat(requests));
    const { connection } = await firstOf(asked);
    leave(asker.socket);
    await isAborted(connection.gone);
    await sleep(50);
    expect(asked).toHaveLength(1);
  });

  test('is noticed although it has sent more than is read', async () => {
    const { path, asked } = await startAgent({ sign: () => new Promise(() => undefined) });
    const asker = await startAsker(path);
    asker.socket.write(framed(signRequest('challenge')));
    for (let i = 0; i < 50; i += 1) asker.socket.write(framed(Buffer.alloc(100 * 1024)));
    const { connection } = await firstOf(asked);
    await sleep(300);
    expect(connection.gone.aborted).toBe(false);
    asker.socket.destroy();
    await isAborted(connection.gone);
  });

  test('from its writing half only still gets the answers that need no signature', async () => {
    const { path, asked } = await startAgent({ sign: () => new Promise(() => undefined) });
    const asker = await startAsker(path);
    const requests = [signRequest('1'), listRequest, signRequest('2'), listRequest];
    asker.socket.end(Buffer.concat(requests.map((request) => framed(request))));
    expect(await asker.answer()).toEqual(FAILURE);
    expect(await asker.answer()).toEqual(noIdentities);
    expect(await asker.answer()).toEqual(FAILURE);
    expect(await asker.answer()).toEqual(noIdentities);
    expect(await asker.answer()).toBeNull();
    expect(asked).toHaveLength(1);
  });
});

test('the two hundred and fifty-seventh socket is closed at once, the others live', async () => {
  const { path } = await startAgent();
  const askers = [];
  for (let i = 0; i < 256; i += 1) askers.push(await startAsker(path));
  expect(await askers.at(-1)?.ask(listRequest)).toEqual(noIdentities);
  const oneMore = await startAsker(path);
  expect(await oneMore.ask(listRequest)).toBeNull();
  expect(await askers[0]?.ask(listRequest)).toEqual(noIdentities);
  askers[1]?.socket.destroy();
  await vi.waitFor(async () => {
    const next = await startAsker(path);
    expect(await next.ask(listRequest)).toEqual(noIdentities);
  });
});

test('closing ends every connection, and what they had asked for is withdrawn', async () => {
  const { server, path, asked } = await startAgent({ sign: () => new Promise(() => undefined) });
  const [waiting, idle] = [await startAsker(path), await startAsker(path)];
  waiting.socket.write(framed(signRequest('challenge')));
  const { connection } = await firstOf(asked);
  await server.close();
  expect(connection.gone.aborted).toBe(true);
  expect(await waiting.answer()).toBeNull();
  expect(await idle.answer()).toBeNull();
});
