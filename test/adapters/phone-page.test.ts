import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  BEAT_PERIOD,
  closeCodes,
  LARGEST_FRAME,
  paths,
  type PageMessage,
} from '../../adapters/phone-page/protocol.ts';
import { createPageClient, newDeviceKey, signText } from '../support/page-client.ts';
import { CODE, errorOf, rig } from './phone-page-rig.ts';

const visible: PageMessage = { type: 'page.visibility', document: 'one', visible: true };

describe('the page’s server', () => {
  it('gives its files with every header, and nothing else', async () => {
    const { client, origin } = await rig();
    const page = await client.fetch('/');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html>' });
    expect(page.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    const policy = page.headers['content-security-policy'];
    expect(String(policy).split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ${origin.replace('http', 'ws')}`,
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types page',
    ]);
    const script = await client.fetch('/assets/page-abc.js');
    expect(script.headers['cache-control']).toContain('immutable');
    for (const path of ['/other', '/assets/../package.json', '/%2e%2e/etc/passwd', '/assets/']) {
      const { status, headers } = await client.fetch(path);
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(headers['x-frame-options']).toBe('DENY');
    }
  });

  it.each([
    ['a foreign Host', { Host: 'evil.example' }],
    ['its address for a Host', { Host: '127.0.0.1' }],
    ['a foreign Origin', { Origin: 'https://evil.example' }],
    ['an opaque Origin', { Origin: 'null' }],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['the same site on another port', { 'Sec-Fetch-Site': 'same-site' }],
  ])('turns away %s', async (_what, headers) => {
    const { client } = await rig();
    const answer = await client.fetch('/', { headers });
    expect(answer.status).toBe(403);
    const posted = await client.fetch(paths.nonce, { method: 'POST', headers });
    expect(posted.status).toBe(403);
  });

  it('lets a link from elsewhere lead to the page, which holds no secret', async () => {
    const { client } = await rig();
    const headers = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document' };
    expect((await client.fetch('/', { headers })).status).toBe(200);
    const framed = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'iframe' };
    expect((await client.fetch('/', { headers: framed })).status).toBe(403);
  });

  it('takes a POST with its own Origin only, and no other method', async () => {
    const { client } = await rig();
    const bare = await client.fetch(paths.nonce, { method: 'POST', headers: { Origin: null } });
    expect(bare.status).toBe(403);
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
      expect((await client.fetch('/', { method })).status).toBe(405);
    }
  });

  it('reads no body that is too long', async () => {
    const { client } = await rig();
    const answer = await client.fetch(paths.pair, { method: 'POST', body: 'x'.repeat(20_000) });
    expect([answer.status, errorOf(answer)]).toEqual([413, 'tooLarge']);
  });

  it.each(['', '{', '[]', '{}', '{"code":1}', `{"code":"${CODE}"}`])(
    'takes no malformed body: %s',
    async (body) => {
      const { client } = await rig();
      for (const path of [paths.pair, paths.session]) {
        const answer = await client.fetch(path, { method: 'POST', body });
        expect([answer.status, errorOf(answer)]).toEqual([400, 'malformed']);
      }
    },
  );

  it('does the same over TLS, with a cookie that is for TLS only', async () => {
    const { client, port, origin, received } = await rig({ secure: true });
    await expect(createPageClient(origin).fetch('/')).rejects.toThrow(/unable to verify/);
    const answer = await client.pair(CODE);
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-signer=[\w-]{43}; Path=\/; HttpOnly; .*; Secure$/),
    ]);
    expect((await client.comeIn('browser-0')).status).toBe(200);
    const socket = await client.open();
    socket.send(visible);
    await expect.poll(() => received).toEqual([visible]);
    await expect(client.open({ Origin: 'https://evil.example' })).rejects.toThrow('403');
    const plain = connect(port, '127.0.0.1').on('error', () => {});
    plain.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await text(plain)).not.toContain('doctype');
  });
});

describe('a browser is paired', () => {
  it('with the code, once, and gets a cookie that no other site sends', async () => {
    const { client, paired } = await rig();
    const answer = await client.pair(CODE, 'iPhone');
    expect(JSON.parse(answer.body)).toEqual({ browserId: 'browser-0' });
    expect(paired).toMatchObject([{ name: 'iPhone', publicKey: client.device.publicKey }]);
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^signer-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
    );
    const again = await createPageClient(client.origin).pair(CODE);
    expect([again.status, errorOf(again)]).toEqual([403, 'noInvitation']);
  });

  it('by no wrong code, and after five of them by none', async () => {
    const { client, paired } = await rig();
    for (let i = 0; i < 5; i++) expect(errorOf(await client.pair('ZZZZ9999'))).toBe('wrongCode');
    expect(errorOf(await client.pair(CODE))).toBe('tooManyTries');
    expect(paired).toEqual([]);
  });

  it('only when it has the key that it shows: the code is not used up by others', async () => {
    const { client, paired } = await rig();
    const device = newDeviceKey();
    const signature = signText(newDeviceKey(), 'something');
    const body = { code: CODE, name: 'Thief', publicKey: device.publicKey, signature };
    const answer = await client.fetch(paths.pair, { method: 'POST', body });
    expect(errorOf(answer)).toBe('malformed');
    expect(paired).toEqual([]);
    expect((await client.pair(CODE)).status).toBe(200);
  });
});

describe('a browser comes in', () => {
  it('with a nonce that it signs, once', async () => {
    const { pairedClient } = await rig();
    const client = await pairedClient();
    client.cookie = '';
    expect((await client.comeIn('browser-0')).status).toBe(200);
    const socket = await client.open();
    expect(await socket.messages[0]).toMatchObject({ type: 'hello', release: '1.2.3' });
  });

  it.each([
    ['as another', 'browser-1'],
    ['as nobody', 'x'],
  ])('not %s', async (_what, id) => {
    const { pairedClient, paired } = await rig();
    const client = await pairedClient();
    paired.push({ id: 'browser-1', name: 'Other', publicKey: newDeviceKey().publicKey });
    expect(errorOf(await client.comeIn(id))).toBe('unpaired');
  });

  it('not with a nonce that was used, or made up', async () => {
    const { pairedClient, origin } = await rig();
    const client = await pairedClient();
    const asked = await client.fetch(paths.nonce, { method: 'POST' });
    const { nonce } = JSON.parse(asked.body) as { nonce: string };
    const signature = signText(client.device, `vmux-signer session\n${origin}\n${nonce}`);
    const body = { browserId: 'browser-0', nonce, signature };
    const post = () => client.fetch(paths.session, { method: 'POST', body });
    expect((await post()).status).toBe(200);
    expect(errorOf(await post())).toBe('staleNonce');
    body.nonce = 'A'.repeat(43);
    expect(errorOf(await post())).toBe('staleNonce');
  });
});

describe('the socket', () => {
  it('takes signed frames in order', async () => {
    const { pairedClient, received } = await rig();
    const socket = await (await pairedClient()).open();
    socket.send(visible);
    socket.send({ type: 'sheet.deny', ref: 'a/1' });
    await expect.poll(() => received).toEqual([visible, { type: 'sheet.deny', ref: 'a/1' }]);
  });

  it.each<[string, Record<string, string | null>]>([
    ['a foreign Origin', { Origin: 'https://evil.example' }],
    ['no Origin', { Origin: null }],
    ['a foreign Host', { Host: 'evil.example' }],
    ['no cookie', { Cookie: null }],
    ['a cookie of its own making', { Cookie: `signer-1=${'A'.repeat(43)}` }],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('is not opened with %s', async (_what, headers) => {
    const { pairedClient } = await rig();
    const client = await pairedClient();
    await expect(client.open(headers)).rejects.toThrow('403');
  });

  it('is at one address only', async () => {
    const { pairedClient } = await rig();
    const client = await pairedClient();
    const answer = await client.fetch(paths.socket);
    expect(answer.status).toBe(404);
  });

  it.each<
    [
      string,
      (socket: Awaited<ReturnType<ReturnType<typeof createPageClient>['open']>>) => string | Buffer,
    ]
  >([
    ['a frame that was sent before', (socket) => socket.send({ type: 'sheet.shown', ref: 'a/1' })],
    ['a number that is left out', (socket) => socket.frame(visible, { seq: 3 })],
    ['a number that was used', (socket) => socket.frame(visible, { seq: 1 })],
    ['the nonce of another socket', (socket) => socket.frame(visible, { seq: 2, nonce: 'A' })],
    ['another key', (socket) => socket.frame(visible, { seq: 2, by: newDeviceKey() })],
    ['no signature', () => JSON.stringify({ seq: 2, body: JSON.stringify(visible) })],
    ['no JSON', () => 'hello'],
    ['an unknown message', (socket) => socket.frame({ type: 'sheet.sign' }, { seq: 2 })],
    [
      'a message with a member too many',
      (socket) => socket.frame({ ...visible, more: 1 }, { seq: 2 }),
    ],
    ['bytes', (socket) => Buffer.from(socket.frame(visible, { seq: 2 }))],
  ])('is closed by %s, which changes nothing', async (_what, wrong) => {
    const { pairedClient, received } = await rig();
    const socket = await (await pairedClient()).open();
    socket.send(visible);
    await expect.poll(() => received).toHaveLength(1);
    const frame = wrong(socket);
    const before = frame.includes('sheet.shown') ? 2 : 1;
    socket.raw(frame);
    expect(await socket.closed).toBe(closeCodes.breach);
    expect(received).toHaveLength(before);
  });

  it('is closed by a signed frame with other words in it', async () => {
    const { pairedClient, received } = await rig();
    const socket = await (await pairedClient()).open();
    socket.raw(
      socket.frame({ type: 'sheet.deny', ref: 'a/1' }, { seq: 1 }).replace('deny', 'shown'),
    );
    expect(await socket.closed).toBe(closeCodes.breach);
    expect(received).toEqual([]);
  });

  it('is closed by a frame that is too long', async () => {
    const { pairedClient, received } = await rig();
    const socket = await (await pairedClient()).open();
    socket.raw('x'.repeat(LARGEST_FRAME + 1));
    expect(await socket.closed).toBe(1009);
    expect(received).toEqual([]);
  });

  it('takes no frame of another browser’s socket', async () => {
    const { pairedClient, paired, received, origin } = await rig();
    const one = await (await pairedClient()).open();
    const other = createPageClient(origin);
    paired.push({ id: 'browser-1', name: 'Other', publicKey: other.device.publicKey });
    await other.comeIn('browser-1');
    const second = await other.open();
    second.raw(one.frame(visible, { seq: 1 }));
    expect(await second.closed).toBe(closeCodes.breach);
    expect(received).toEqual([]);
  });

  it('is closed at once when its browser is unpaired, and opens no more', async () => {
    const { pairedClient, paired, server } = await rig();
    const client = await pairedClient();
    const socket = await client.open();
    paired.length = 0;
    server.recheckBrowsers();
    expect(await socket.closed).toBe(closeCodes.unpaired);
    await expect(client.open()).rejects.toThrow('403');
    expect(errorOf(await client.comeIn('browser-0'))).toBe('unpaired');
  });

  it('takes nothing of a browser that was unpaired a moment ago', async () => {
    const { pairedClient, paired, received } = await rig();
    const socket = await (await pairedClient()).open();
    paired.length = 0;
    socket.send(visible);
    expect(await socket.closed).toBe(closeCodes.unpaired);
    expect(received).toEqual([]);
  });

  it('is open eight times for one browser, not more', async () => {
    const { pairedClient } = await rig();
    const client = await pairedClient();
    for (let i = 0; i < 8; i++) await client.open();
    await expect(client.open()).rejects.toThrow('429');
  });

  it('beats, for a script that sees no ping', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { pairedClient } = await rig();
    const socket = await (await pairedClient()).open();
    vi.advanceTimersByTime(BEAT_PERIOD);
    await socket.expect('beat');
  });

  it('ends, and unpairs nobody, when it cannot be read who is paired', async () => {
    const { pairedClient, paired } = await rig();
    const client = await pairedClient();
    const socket = await client.open();
    Object.defineProperty(paired, 'find', {
      value() {
        throw new Error('the log is damaged');
      },
    });
    socket.send(visible);
    expect(await socket.closed).toBe(closeCodes.ended);
    await expect(client.open()).rejects.toThrow('503');
  });

  it('says that the signer ends', async () => {
    const { pairedClient, server } = await rig();
    const socket = await (await pairedClient()).open();
    await server.close();
    expect(await socket.closed).toBe(closeCodes.ended);
  });
});
