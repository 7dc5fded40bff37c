import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import { createSingleUseToken } from '../../app/inspector/single-use-token.ts';
import { startServer } from '../../app/inspector/server.ts';
import { redirectFilesIn, startedInspector, type Client } from './inspector-client.ts';
import { recordedDevice } from './recorded-devices.ts';

const source = (): DeviceSource => recordedDevice('headset').source;

const refusal = ({ status, text: body }: { status: number; text: string }) => ({
  status,
  ...(JSON.parse(body) as { error: string }),
});

const foreign = { status: 403, error: 'another page may not ask this one' };
const stranger = {
  status: 403,
  error: 'open the inspector by the address that its program printed',
};

async function entered(): Promise<Client> {
  const client = await startedInspector(source());
  expect((await client.enter()).status).toBe(200);
  return client;
}

describe('coming in', () => {
  it('takes the token of a file that its owner alone can read, which is gone then', async () => {
    const client = await startedInspector(source());
    const [file = ''] = redirectFilesIn(client.home);
    expect(client.inspector.address).toBe(`file://${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { status, headers } = await client.enter();
    expect(status).toBe(200);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(
          `^inspector-${client.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/[\\w-]{43}/$`,
        ),
      ),
    ]);
    expect(redirectFilesIn(client.home)).toEqual([]);
    expect((await client.ask('/api/opening')).status).toBe(200);
  });

  it('is refused with a token that was used, and with another one', async () => {
    const client = await startedInspector(source());
    const token = client.token();
    const error = 'that address was used or is too old: start the inspector again';
    expect(refusal(await client.ask(`/enter?token=${'x'.repeat(43)}`))).toEqual({
      status: 403,
      error,
    });
    expect(refusal(await client.ask('/enter'))).toEqual({ status: 403, error });
    expect((await client.ask(`/enter?token=${token}`)).status).toBe(200);
    const again = await client.ask(`/enter?token=${token}`);
    expect(refusal(again)).toEqual({ status: 403, error });
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  it('is refused with a token that is two minutes old', async () => {
    let now = 0;
    const token = createSingleUseToken(120_000, () => now);
    const server = await startServer({
      source: source(),
      driving: null,
      token,
      joinToken: null,
      start: '/',
      onEntered: () => {},
    });
    now = 120_000;
    const reply = await fetch(`${server.origin}/enter?token=${token.text}`);
    expect(reply.status).toBe(403);
    now = 119_999;
    expect((await fetch(`${server.origin}/enter?token=${token.text}`)).status).toBe(200);
    await server.close();
  });

  it('leaves no file behind when nobody came', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const waited = await startedInspector(source());
      const closed = await startedInspector(source());
      await closed.inspector.close();
      expect(redirectFilesIn(closed.home)).toEqual([]);
      vi.advanceTimersByTime(119_999);
      expect(redirectFilesIn(waited.home)).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect(redirectFilesIn(waited.home)).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('whoever can reach the port', () => {
  it('gets nothing without the cookie, with another one, and with that of another port', async () => {
    const client = await startedInspector(source());
    const { port } = client;
    for (const path of ['/', '/api/opening', '/api/live', '/api/clock', '/page.css', '/none']) {
      expect(refusal(await client.ask(path))).toEqual(stranger);
    }
    const cookies = [`inspector-${port}=${'x'.repeat(43)}`, `inspector-${port}=`, 'inspector=x'];
    for (const Cookie of cookies) {
      expect(refusal(await client.ask('/', { headers: { Cookie } }))).toEqual(stranger);
    }
    await client.enter();
    const other = await startedInspector(source());
    const mine = (await other.enter()).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(refusal(await client.ask('/', { headers: { Cookie: mine } }))).toEqual(stranger);
  });

  it('is refused with a foreign Origin, even with the cookie', async () => {
    const client = await entered();
    const { port } = client;
    for (const Origin of [
      'https://evil.example',
      'null',
      `http://localhost:${port}`,
      `https://127.0.0.1:${port}`,
      'http://127.0.0.1:1',
    ]) {
      expect(refusal(await client.ask('/api/opening', { headers: { Origin } }))).toEqual(foreign);
    }
    const { Origin } = { Origin: client.inspector.origin };
    expect((await client.ask('/api/opening', { headers: { Origin } })).status).toBe(200);
  });

  it('is refused by a name that was rebound to this address', async () => {
    const client = await entered();
    const { port } = client;
    const names = ['evil.example', `evil.example:${port}`, `localhost:${port}`, '127.0.0.1'];
    for (const Host of names) {
      const reply = await client.ask('/api/opening', { headers: { Host } });
      expect(refusal(reply)).toEqual({ status: 403, error: 'this server has another name' });
      const entering = await client.ask('/enter?token=x', { headers: { Host } });
      expect(refusal(entering).error).toBe('this server has another name');
    }
  });

  it('is refused when the browser says that another site asks', async () => {
    const client = await entered();
    const asking = (site: string) =>
      client.ask('/api/opening', { headers: { 'Sec-Fetch-Site': site } });
    for (const site of ['cross-site', 'same-site']) {
      expect(refusal(await asking(site))).toEqual(foreign);
    }
    for (const site of ['same-origin', 'none']) expect((await asking(site)).status).toBe(200);
  });

  it('may not post without an Origin', async () => {
    const client = await entered();
    const asking = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    expect(refusal(await client.ask('/api/what-if', asking))).toEqual(foreign);
    expect(refusal(await client.ask('/api/drive', asking))).toEqual(foreign);
  });

  it('gets no answer to a request that is meant for another server', async () => {
    const { port } = await startedInspector(source());
    const socket = connect(port, '127.0.0.1');
    socket.end(
      `GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
    );
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 .*"a path is asked for"/s);
  });
});

describe('a visitor', () => {
  it('is told which method an address takes', async () => {
    const client = await entered();
    for (const [path, allowed] of [
      ['/api/opening', 'GET'],
      ['/', 'GET'],
      ['/enter', 'GET'],
      ['/join', 'POST'],
      ['/api/drive', 'POST'],
    ] as const) {
      const reply = await (allowed === 'GET' ? client.post(path, {}) : client.ask(path));
      expect(refusal(reply)).toEqual({ status: 405, error: `this address takes ${allowed} only` });
      expect(reply.headers.allow).toBe(allowed);
    }
  });

  it('may not send a body that is too long, of another type, or not what is asked for', async () => {
    const client = await entered();
    const long = await client.post('/api/what-if', ' '.repeat(64 * 1024 + 1));
    expect(refusal(long)).toEqual({ status: 413, error: 'the body is too long' });
    const form = await client.post('/api/what-if', 'a=b', { 'Content-Type': 'text/plain' });
    expect(refusal(form)).toEqual({ status: 415, error: 'a body is application/json' });
    expect(refusal(await client.post('/api/what-if', '{'))).toEqual({
      status: 400,
      error: 'the body is not JSON',
    });
    const at = { device: 'headset', stream: 'connection/none', version: 1 };
    for (const body of [
      {},
      { at, events: [] },
      { at, events: [{}] },
      { at: { ...at, version: -1 }, events: [{ type: 'x' }] },
      { at, events: [{ type: 'x' }], more: 1 },
    ]) {
      expect(refusal(await client.post('/api/what-if', body))).toEqual({
        status: 400,
        error: 'the body is not what this address takes',
      });
    }
  });

  it('gets every answer with the headers that keep it apart, and none that shares it', async () => {
    const client = await entered();
    for (const path of ['/api/opening', '/none', '/api/flow?id=none']) {
      const { headers } = await client.ask(path);
      expect(headers).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      const shared = Object.keys(headers).filter((name) => name.startsWith('access-control'));
      expect(shared).toEqual([]);
    }
  });

  it('can drive nothing where there is nothing to drive', async () => {
    const client = await entered();
    const reply = await client.post('/api/drive', { do: 'connect', host: 'bench' });
    expect(refusal(reply)).toEqual({ status: 404, error: 'nothing can be driven here' });
  });

  it('reaches no file outside the page', async () => {
    const client = await entered();
    for (const path of ['/..%2fprotocol.js', '/index.ts', '/tsconfig.json', '/.html']) {
      expect(refusal(await client.ask(path))).toEqual({
        status: 404,
        error: 'there is nothing here',
      });
    }
    for (const path of ['/../protocol.ts', '/%2e%2e/protocol.js']) {
      expect(refusal(await client.ask(path))).toMatchObject({ status: 403 });
    }
  });

  it('is told in a sentence what is missing in a question', async () => {
    const client = await entered();
    for (const [path, error] of [
      ['/api/flow', '"id" is missing or not usable'],
      ['/api/flows?before=x', '"before" is missing or not usable'],
      ['/api/views', '"at" is DEVICE:STREAM@VERSION, once to 32 times'],
      ['/api/views?at=headset:a', '"at" is DEVICE:STREAM@VERSION, once to 32 times'],
      ['/api/views?at=server:a@1', '"at" is DEVICE:STREAM@VERSION, once to 32 times'],
      ['/api/what-if?at=headset:a@1&at=headset:a@2', 'one "at" is asked for'],
    ] as const) {
      expect(refusal(await client.ask(path))).toEqual({ status: 400, error });
    }
  });

  it('learns nothing of what went wrong inside', async () => {
    const broken = { ...source(), flows: () => Promise.reject(new Error('/home/ada/secret')) };
    const client = await startedInspector(broken);
    await client.enter();
    expect(refusal(await client.ask('/api/opening'))).toEqual({
      status: 500,
      error: 'the inspector could not answer',
    });
  });
});
