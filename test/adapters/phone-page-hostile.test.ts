import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { issueLeaf } from '../../adapters/certificates/authority.ts';
import { closeCodes, paths, type PageMessage } from '../../adapters/phone-page/protocol.ts';
import { startPageServer } from '../../adapters/phone-page/server.ts';
import { chromiumMissing, openBrowser } from '../support/browser.ts';
import { createPageClient } from '../support/page-client.ts';
import { CODE, errorOf, rig } from './phone-page-rig.ts';

const visible: PageMessage = { type: 'page.visibility', document: 'one', visible: true };

const PROTECTIONS = [
  'content-security-policy',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'permissions-policy',
  'cache-control',
];

/** A connection that stays open on this side, whatever the other does; gone with the test. */
async function stranger(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes back to these very bytes. */
async function answerTo(port: number, request: string): Promise<string> {
  const socket = await stranger(port);
  socket.end(request);
  return text(socket);
}

const upgrade = (port: number, more: string[]) =>
  [
    `GET ${paths.socket} HTTP/1.1`,
    `Host: localhost:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
    ...more,
    '\r\n',
  ].join('\r\n');

describe('whoever can reach the port', () => {
  it('gets every protection with every refusal', async () => {
    const { client, port } = await rig();
    const answers = [
      await client.fetch('/none'),
      await client.fetch('/', { headers: { Host: 'evil.example' } }),
      await client.fetch('/', { method: 'PUT' }),
      await client.fetch(paths.pair, { method: 'POST', body: '{' }),
      await client.fetch(paths.pair, { method: 'POST', body: ' '.repeat(20_000) }),
      await client.pair('ZZZZ9999'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 403, 405, 400, 413, 403]);
    for (const { headers } of answers) {
      const named = Object.keys(headers);
      expect(named).toEqual(expect.arrayContaining(PROTECTIONS));
      expect(named.filter((name) => /^(access-control|location|server)/.test(name))).toEqual([]);
    }
    for (const host of ['foo bar', `localhost:${port}/x`, 'user@localhost']) {
      const answer = await answerTo(
        port,
        `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
      for (const name of PROTECTIONS) expect(answer.toLowerCase()).toContain(`\n${name}: `);
    }
  });

  it('may use the authenticator from the page, and the camera from nowhere', async () => {
    const { client } = await rig();
    const { headers } = await client.fetch('/');
    expect(String(headers['permissions-policy']).split(', ').toSorted()).toEqual([
      'camera=()',
      'geolocation=()',
      'microphone=()',
      'publickey-credentials-create=(self)',
      'publickey-credentials-get=(self)',
      'screen-wake-lock=(self)',
    ]);
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  it.each(['/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%zz', '//evil.example/', '/\\..\\x'])(
    'reaches no other file by %s, as it is written',
    async (path) => {
      const { port } = await rig();
      const answer = await answerTo(
        port,
        `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    },
  );

  it('is not read past 16 KiB of a body whose length it does not say', async () => {
    const { port, origin } = await rig();
    const chunk = 'x'.repeat(17 * 1024);
    const answer = await answerTo(
      port,
      `POST ${paths.pair} HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: ${origin}\r\n` +
        'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
        `${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*\{"error":"tooLarge"\}/s);
  });

  it('leaves room for others when it keeps open what was refused', async () => {
    const { client, port } = await rig();
    for (let i = 0; i < 140; i++) {
      const socket = await stranger(port);
      socket.write(upgrade(port, []));
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect((await client.fetch('/')).status).toBe(200);
  });

  it.each([
    ['no key', ['GET', '/']],
    ['another protocol', ['websocket', 'h2c']],
    ['another path', [paths.socket, '/socket']],
    ['a question behind the path', [paths.socket, `${paths.socket}?x`]],
  ])('opens no socket with %s', async (_what, [from = '', to = '']) => {
    const { pairedClient, port, origin, connections } = await rig();
    const { cookie } = await pairedClient();
    const asked = upgrade(port, [`Origin: ${origin}`, `Cookie: ${cookie}`]);
    const changed =
      to === '/' ? asked.replace(/^Sec-WebSocket-Key.*\r\n/m, '') : asked.replace(from, to);
    expect(await answerTo(port, changed)).toMatch(/^HTTP\/1\.1 40\d /);
    expect(connections).toEqual([]);
  });
});

describe('a paired browser', () => {
  it('speaks on the socket of its own cookie only', async () => {
    const { pairedClient, paired, received, origin } = await rig();
    const one = await pairedClient();
    const other = createPageClient(origin);
    paired.push({ id: 'browser-1', name: 'Other', publicKey: other.device.publicKey });
    other.cookie = one.cookie;
    const socket = await other.open();
    socket.send(visible);
    expect(await socket.closed).toBe(closeCodes.breach);
    expect(received).toEqual([]);
  });

  it('repeats nothing from one of its sockets on another', async () => {
    const { pairedClient, received } = await rig();
    const client = await pairedClient();
    const [one, other] = [await client.open(), await client.open()];
    expect(one.nonce).not.toBe(other.nonce);
    other.raw(one.send(visible));
    expect(await other.closed).toBe(closeCodes.breach);
    await expect.poll(() => received).toEqual([visible]);
    one.send({ type: 'sheet.shown', ref: 'a/1' });
    await expect.poll(() => received).toHaveLength(2);
  });

  it('is told nothing after it is unpaired, and is gone though it does not answer', async () => {
    const { pairedClient, paired, port, origin, server, connections } = await rig();
    const { cookie } = await pairedClient();
    const socket = await stranger(port);
    socket.write(upgrade(port, [`Origin: ${origin}`, `Cookie: ${cookie}`]));
    await expect.poll(() => connections).toHaveLength(1);
    const [connection] = connections;
    const gone = new Promise<void>((resolve) => connection?.onClose(resolve));
    const told = text(socket);
    paired.length = 0;
    server.recheckBrowsers();
    connection?.send({ type: 'reply', id: 1, result: 'a secret' });
    const before = performance.now();
    await gone;
    expect(performance.now() - before).toBeLessThan(3000);
    const all = await told;
    expect(all).toContain('"hello"');
    expect(all).not.toContain('a secret');
  });

  it('is cut off when it does not read what it is told', async () => {
    const { pairedClient, port, origin, connections } = await rig();
    const { cookie } = await pairedClient();
    const socket = await stranger(port);
    socket.pause();
    socket.write(upgrade(port, [`Origin: ${origin}`, `Cookie: ${cookie}`]));
    await expect.poll(() => connections).toHaveLength(1);
    const [connection] = connections;
    let isGone = false;
    connection?.onClose(() => (isGone = true));
    const result = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 64; i++) {
      connection?.send({ type: 'reply', id: 1, result });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => isGone).toBe(true);
  });

  it('holds up the end of the signer for no longer than a moment', async () => {
    const { pairedClient, port, origin, server, connections } = await rig();
    const { cookie } = await pairedClient();
    const socket = await stranger(port);
    socket.write(upgrade(port, [`Origin: ${origin}`, `Cookie: ${cookie}`]));
    await expect.poll(() => connections).toHaveLength(1);
    const before = performance.now();
    await server.close();
    expect(performance.now() - before).toBeLessThan(3000);
  });

  it('comes in by no code that has another signature, and that is no try', async () => {
    const { client } = await rig();
    for (let i = 0; i < 6; i++) {
      const body = {
        code: 'ZZZZ9999',
        name: 'x',
        publicKey: client.device.publicKey,
        signature: 'A'.repeat(86),
      };
      const answer = await client.fetch(paths.pair, { method: 'POST', body });
      expect(errorOf(answer)).toBe('malformed');
    }
    expect((await client.pair(CODE)).status).toBe(200);
  });
});

describe('the server', () => {
  it('says that its port is taken', async () => {
    const { port, origin } = await rig();
    const starting = startPageServer({
      origin,
      listen: { host: '127.0.0.1', port },
      tls: null,
      release: '1.2.3',
      file: () => null,
      browsers: () => [],
      admit: () => 'noInvitation',
      connected: () => {},
    });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('shows a new certificate to those who come from then on, and no TLS before 1.2', async () => {
    const { port, server, authority } = await rig({ secure: true });
    const seen = async () => {
      const [host, servername] = ['127.0.0.1', 'signer-test.local'];
      const socket = connectTls({ port, host, servername, ca: authority!.certificatePem });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await seen();
    const renewed = await issueLeaf(authority!, 'signer-test.local');
    server.replaceCertificate({ cert: renewed.certificatePem, key: renewed.privateKeyPem });
    expect(await seen()).not.toBe(before);
    // Level 0: otherwise it is this side's OpenSSL that turns the old version down.
    const [minVersion, ciphers] = ['TLSv1' as const, 'DEFAULT@SECLEVEL=0'];
    const host = '127.0.0.1';
    const old = connectTls({
      port,
      host,
      rejectUnauthorized: false,
      minVersion,
      maxVersion: 'TLSv1.1',
      ciphers,
    });
    await expect(once(old, 'secureConnect')).rejects.toThrow(/protocol version/i);
  });
});

describe.skipIf(chromiumMissing !== null)(
  `a page of another site${chromiumMissing === null ? '' : ` [skipped: ${chromiumMissing}]`}`,
  () => {
    it('cannot put the page in a frame, nor read it, nor open its socket', async () => {
      const { origin, connections, pairedClient } = await rig();
      const { cookie } = await pairedClient();
      const directory = mkdtempSync(join(tmpdir(), 'phone-page-'));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const framing = createServer((_request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end(`<!doctype html><iframe src="${origin}/"></iframe>`);
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void framing.close());
      await once(framing, 'listening');
      const browser = await openBrowser(directory);
      onTestFinished(() => browser.close());
      const context = await browser.newContext();
      const [name = '', value = ''] = cookie.split('=');
      await context.addCookies([{ name, value, url: origin, sameSite: 'Strict' }]);
      const page = await context.newPage();
      // Another port of the same site: such a page is sent the strict cookie, too.
      await page.goto(`http://localhost:${(framing.address() as AddressInfo).port}/`);
      const frame = page.frames()[1];
      expect(frame?.url()).toMatch(/^(chrome-error:|about:blank)/);
      const outcome = await page.evaluate(
        async ([origin = '', path = '']) => ({
          read: await fetch(`${origin}/`, { credentials: 'include' }).then(
            () => 'read',
            () => 'refused',
          ),
          opened: await new Promise((resolve) => {
            const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`);
            socket.addEventListener('open', () => resolve('opened'));
            socket.addEventListener('error', () => resolve('refused'));
          }),
        }),
        [origin, paths.socket],
      );
      expect(outcome).toEqual({ read: 'refused', opened: 'refused' });
      expect(connections).toEqual([]);
      // The same cookie in the page itself: it is the other site that was refused.
      await page.goto(`${origin}/`);
      const own = await page.evaluate(
        (address) =>
          new Promise((resolve) => {
            const socket = new WebSocket(address);
            socket.addEventListener('open', () => resolve('opened'));
            socket.addEventListener('error', () => resolve('refused'));
          }),
        `${origin.replace('http', 'ws')}${paths.socket}`,
      );
      expect(own).toBe('opened');
    });
  },
);
