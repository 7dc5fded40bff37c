/** A browser of the phone's page without a page: pairs, comes in and speaks, by Node's own means. */
import { Buffer } from 'node:buffer';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import WebSocket from 'ws';
import {
  frameText,
  pairingText,
  paths,
  sessionText,
  type PageMessage,
  type SignerMessage,
} from '../../adapters/phone-page/protocol.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface DeviceKey {
  privateKey: KeyObject;
  publicKey: string;
}

export interface PageClient {
  readonly origin: string;
  readonly device: DeviceKey;
  /** Replaces `Host`, `Origin`, the cookie and whatever else; `null` leaves one out. */
  fetch(
    path: string,
    options?: { method?: string; body?: unknown; headers?: Record<string, string | null> },
  ): Promise<Answer>;
  pair(code: string, name?: string): Promise<Answer>;
  /** Nonce and session; the cookie is kept. */
  comeIn(browserId: string): Promise<Answer>;
  cookie: string;
  /** Opens the socket and waits for its `hello`. Rejects when it is refused: "403". */
  open(headers?: Record<string, string | null>): Promise<PageSocket>;
}

export interface PageSocket {
  readonly nonce: string;
  readonly messages: SignerMessage[];
  /** The next frame in order. */
  send(message: PageMessage): string;
  /** What would be sent, with these parts replaced. */
  frame(message: unknown, replaced?: { seq?: number; nonce?: string; by?: DeviceKey }): string;
  raw(data: string | Buffer): void;
  /** Waits for a message of this type behind those that were waited for. */
  expect<Type extends SignerMessage['type']>(
    type: Type,
  ): Promise<Extract<SignerMessage, { type: Type }>>;
  /** Its close code. */
  readonly closed: Promise<number>;
  close(): void;
}

export function newDeviceKey(): DeviceKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ]);
  return { privateKey, publicKey: point.toString('base64url') };
}

export const signText = ({ privateKey }: DeviceKey, text: string): string =>
  sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  );

/** `at`: where the server listens, whatever its name. `ca`: PEM. */
export function createPageClient(
  origin: string,
  { at = '127.0.0.1', ca = null as string | null, device = newDeviceKey() } = {},
): PageClient {
  const { protocol, host, hostname, port } = new URL(origin);
  const tls = { servername: hostname, ...(ca !== null && { ca }) };

  const headersOf = (given: Record<string, string | null>, more: Record<string, string>) => {
    const cookie = client.cookie === '' ? {} : { Cookie: client.cookie };
    const all = { Host: host, ...cookie, ...more, ...given };
    return Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
    );
  };

  const client: PageClient = {
    origin,
    device,
    cookie: '',
    async fetch(path, { method = 'GET', body, headers = {} } = {}) {
      const text =
        body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
      const more = {
        ...(method === 'POST' && { Origin: origin, 'Content-Type': 'application/json' }),
        ...(text !== null && { 'Content-Length': String(Buffer.byteLength(text)) }),
      };
      const options = { host: at, port, path, method, headers: headersOf(headers, more) };
      const asked =
        protocol === 'https:' ? httpsRequest({ ...options, ...tls }) : httpRequest(options);
      asked.end(text ?? undefined);
      const [response] = await once(asked, 'response');
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      return {
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
      };
    },
    async pair(code, name = 'Test browser') {
      const signature = signText(device, pairingText(origin, code, device.publicKey));
      const body = { code, name, publicKey: device.publicKey, signature };
      return kept(await client.fetch(paths.pair, { method: 'POST', body }));
    },
    async comeIn(browserId) {
      const asked = await client.fetch(paths.nonce, { method: 'POST' });
      const { nonce } = JSON.parse(asked.body) as { nonce: string };
      const signature = signText(device, sessionText(origin, nonce));
      const body = { browserId, nonce, signature };
      return kept(await client.fetch(paths.session, { method: 'POST', body }));
    },
    async open(headers = {}) {
      const address = `${origin.replace(/^http/, 'ws').replace(hostname, at)}${paths.socket}`;
      const socket = new WebSocket(address, {
        headers: headersOf(headers, { Origin: origin }),
        ...tls,
      });
      return opened(socket, origin, device);
    },
  };

  function kept(answer: Answer): Answer {
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    if (cookie !== '') client.cookie = cookie.slice(0, cookie.indexOf(';'));
    return answer;
  }

  return client;
}

async function opened(socket: WebSocket, origin: string, device: DeviceKey): Promise<PageSocket> {
  const messages: SignerMessage[] = [];
  const changed = new Set<() => void>();
  let read = 0;
  let seq = 0;
  const refused = Promise.withResolvers<never>();
  const closed = Promise.withResolvers<number>();
  socket.on('unexpected-response', (_request, response) => {
    refused.reject(new Error(String(response.statusCode)));
    socket.terminate();
  });
  socket.on('error', (error) => refused.reject(error));
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as SignerMessage);
    for (const tell of changed) tell();
  });
  socket.on('close', (code) => {
    closed.resolve(code);
    refused.reject(new Error(`closed ${code}`));
    for (const tell of changed) tell();
  });
  refused.promise.catch(() => {});

  async function expectMessage(type: SignerMessage['type']): Promise<SignerMessage> {
    for (;;) {
      const at = messages.findIndex((message, index) => index >= read && message.type === type);
      if (at >= 0) {
        read = at + 1;
        return messages[at]!;
      }
      if (socket.readyState >= WebSocket.CLOSING) throw new Error(`closed before ${type}`);
      await new Promise<void>((resolve) => {
        const tell = () => {
          changed.delete(tell);
          resolve();
        };
        changed.add(tell);
      });
    }
  }

  const hello = await Promise.race([expectMessage('hello'), refused.promise]);
  const nonce = hello.type === 'hello' ? hello.nonce : '';
  const self: PageSocket = {
    nonce,
    messages,
    closed: closed.promise,
    frame(message, replaced = {}) {
      const body = JSON.stringify(message);
      const of = { seq: replaced.seq ?? seq, body };
      const text = frameText(origin, replaced.nonce ?? nonce, of);
      return JSON.stringify({ ...of, signature: signText(replaced.by ?? device, text) });
    },
    send(message) {
      seq += 1;
      const frame = self.frame(message);
      socket.send(frame);
      return frame;
    },
    raw: (data) => socket.send(data),
    expect: (type) => expectMessage(type) as Promise<never>,
    close: () => socket.close(),
  };
  return self;
}
