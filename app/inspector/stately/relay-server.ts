/**
 * The relay's HTTP server, on 127.0.0.1 only, with the rules of the inspector's own server. The
 * package's server is not used: it listens on every interface and takes any origin.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAccess, type Access } from '../access.ts';
import { pageThatLeadsTo } from '../redirect-file.ts';
import { Refusal } from '../refusal.ts';
import type { SingleUseToken } from '../single-use-token.ts';
import { relayPageFile } from './relay-page.ts';

/** Where Stately's inspector is: the one address that the relay's page may frame and write to. */
export const STATELY_ORIGIN = 'https://stately.ai';

export interface RelayParts {
  /** Lets the person's browser in. */
  token: SingleUseToken;
  /** The browser came in. */
  onEntered: () => void;
  /** Sends messages from the beginning, until the returned function is called. */
  stream: (send: (message: object) => void) => () => void;
}

export interface RelayServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  close(): Promise<void>;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  `frame-src ${STATELY_ORIGIN}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export async function startRelayServer(parts: RelayParts): Promise<RelayServer> {
  let access: Access | null = null;
  const server = createServer((request, response) => {
    if (access === null) return void response.destroy();
    answer(request, response, access, parts);
  });
  const port = await listening(server);
  access = createAccess(port);
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  parts: RelayParts,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  try {
    access.expectHost(request);
    route(request, response, access, parts);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const [status, sentence] =
      error instanceof Refusal
        ? [error.status, error.message]
        : [500, 'the relay could not answer'];
    reply(response, status, 'application/json', JSON.stringify({ error: sentence }));
  }
}

function route(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  { token, onEntered, stream }: RelayParts,
): void {
  const { pathname, searchParams } = urlOf(request);
  if (request.method !== 'GET') {
    response.setHeader('Allow', 'GET');
    throw new Refusal(405, 'this address takes GET only');
  }
  if (pathname === '/enter') {
    // A file leads here, which is another site: the token is what counts.
    if (!token.redeem(searchParams.get('token') ?? ''))
      throw new Refusal(403, 'that address was used or is too old: start the inspector again');
    response.setHeader('Set-Cookie', access.cookieFor('page'));
    reply(response, 200, 'text/html; charset=utf-8', pageThatLeadsTo('/'));
    return onEntered();
  }
  access.expectOwnOrigin(request);
  access.visitorOf(request);
  if (pathname === '/events') return streamTo(response, stream);
  const file = relayPageFile(pathname);
  if (file === null) throw new Refusal(404, 'there is nothing here');
  reply(response, 200, file.type, file.text);
}

/** Only a path: a proxy's request for another server is none of ours. */
function urlOf({ url = '' }: IncomingMessage): URL {
  if (!url.startsWith('/') || url.startsWith('//')) throw new Refusal(400, 'a path is asked for');
  return new URL(url, 'http://127.0.0.1');
}

/** Server-sent events, each one message as JSON. */
function streamTo(response: ServerResponse, stream: RelayParts['stream']): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  const stop = stream((message) => void response.write(`data: ${JSON.stringify(message)}\n\n`));
  response.on('close', stop);
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
