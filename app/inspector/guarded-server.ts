/**
 * An HTTP server on 127.0.0.1 for the person's browser and nobody else: the rules that the
 * inspector and the relay to Stately share.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAccess, type Access } from './access.ts';
import { Conflict } from './driving-port.ts';
import { pageThatLeadsTo } from './redirect-file.ts';
import { Refusal } from './refusal.ts';
import type { SingleUseToken } from './single-use-token.ts';

/** A request of this server's own page, or of none, that named it rightly. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** What of the path is below the one that nobody can guess; null for any other. */
  path: string | null;
  access: Access;
}

export interface GuardedParts {
  /** Lets the person's browser in. */
  token: SingleUseToken;
  /** The browser came in. */
  onEntered: () => void;
  /** Behind the page's address: nothing, or `#…`. */
  start: string;
  /** What a page may load beside scripts, styles and answers of its own. */
  policy: string[];
  /** Answers; who asks is for it to find out (`access.visitorOf`). May throw a `Refusal`. */
  route: (exchange: Exchange) => void | Promise<void>;
}

export interface GuardedServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `http://127.0.0.1:PORT/SECRET`: everything is below it. */
  readonly pages: string;
  close(): Promise<void>;
}

const policyWith = (more: string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    ...more,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const headersWith = (policy: string[]) => ({
  'Content-Security-Policy': policyWith(policy),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/** Listens on a free port. */
export async function startGuardedServer(parts: GuardedParts): Promise<GuardedServer> {
  const headers = headersWith(parts.policy);
  let access: Access | null = null;
  const server = createServer((request, response) => {
    if (access === null) return void response.destroy();
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void answer(request, response, access, parts);
  });
  const port = await listening(server);
  access = createAccess(port);
  return {
    origin: `http://127.0.0.1:${port}`,
    pages: `http://127.0.0.1:${port}${access.base}`,
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  parts: GuardedParts,
): Promise<void> {
  try {
    access.expectHost(request);
    const url = urlOf(request);
    const { pathname } = url;
    const exchange = { request, response, access, url, path: access.below(pathname) };
    if (pathname === '/enter') return enter(exchange, parts);
    // Browsers ask for it on their own, on the page before this one too.
    if (pathname === '/favicon.ico') return reply(response, 204, 'image/x-icon', '');
    access.expectOwnOrigin(request);
    await parts.route(exchange);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const [status, sentence] = told(error);
    // What is left of a body that was not read must not be taken for the next request.
    if (status === 413) response.setHeader('Connection', 'close');
    reply(response, status, 'application/json', JSON.stringify({ error: sentence }));
  }
}

/** Only a path: a proxy's request for another server is none of ours. */
function urlOf({ url = '' }: IncomingMessage): URL {
  if (!url.startsWith('/') || url.startsWith('//')) throw new Refusal(400, 'a path is asked for');
  return new URL(url, 'http://127.0.0.1');
}

/** A file leads here, which is another site: the token is what counts. */
function enter(exchange: Exchange, { token, start, onEntered }: GuardedParts): void {
  const { response, url, access } = exchange;
  expectMethod(exchange, 'GET');
  if (!token.redeem(url.searchParams.get('token') ?? ''))
    throw new Refusal(403, 'that address was used or is too old: start the inspector again');
  response.setHeader('Set-Cookie', access.cookieFor('page'));
  // A redirect would not carry a strict cookie when a file led here.
  reply(response, 200, 'text/html; charset=utf-8', pageThatLeadsTo(`${access.base}/${start}`));
  onEntered();
}

/** @throws {Refusal} 405 */
export function expectMethod(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  method: 'GET' | 'POST',
): void {
  if (request.method === method) return;
  response.setHeader('Allow', method);
  throw new Refusal(405, `this address takes ${method} only`);
}

/** `type`: media type. */
export function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Status and sentence. What is no refusal tells nothing of what went wrong inside. */
function told(error: unknown): [status: number, sentence: string] {
  if (error instanceof Refusal) return [error.status, error.message];
  if (error instanceof Conflict) return [409, error.message];
  const isOfLog = error instanceof Error && error.name.startsWith('Log');
  return isOfLog ? [503, 'the log cannot be read now'] : [500, 'the inspector could not answer'];
}
