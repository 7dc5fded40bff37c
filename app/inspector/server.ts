/** The inspector's HTTP server, on 127.0.0.1 only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { createAccess, type Access, type Visitor } from './access.ts';
import { driveBody, questions, tryBody, type Inspected } from './api.ts';
import { Conflict } from './driving-port.ts';
import { streamLive } from './live.ts';
import { pageFile } from './page-files.ts';
import { pageThatLeadsTo } from './redirect-file.ts';
import { Refusal } from './refusal.ts';
import { bodyOf } from './request-body.ts';
import type { SingleUseToken } from './single-use-token.ts';

export interface ServerParts extends Inspected {
  /** Lets the person's browser in. */
  token: SingleUseToken;
  /** Lets another inspector in; null where none may join. */
  joinToken: SingleUseToken | null;
  /** The page's address from there, a path. */
  start: string;
  /** The browser came in. */
  onEntered: () => void;
}

export interface InspectorServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  close(): Promise<void>;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  access: Access;
  parts: ServerParts;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
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

export async function startServer(parts: ServerParts): Promise<InspectorServer> {
  let access: Access | null = null;
  const server = createServer((request, response) => {
    if (access === null) return void response.destroy();
    void answer(request, response, access, parts);
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  parts: ServerParts,
): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  try {
    access.expectHost(request);
    const url = new URL(pathOf(request), 'http://127.0.0.1');
    await route({ request, response, url, access, parts });
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const [status, sentence] = told(error);
    // What is left of a body that was not read must not be taken for the next request.
    if (status === 413) response.setHeader('Connection', 'close');
    reply(response, status, 'application/json', JSON.stringify({ error: sentence }));
  }
}

/** Only a path: a proxy's request for another server is none of ours. */
function pathOf({ url = '' }: IncomingMessage): string {
  if (!url.startsWith('/') || url.startsWith('//')) throw new Refusal(400, 'a path is asked for');
  return url;
}

async function route(exchange: Exchange): Promise<void> {
  const { request, url, access, parts } = exchange;
  const { pathname } = url;
  if (pathname === '/enter') return enter(exchange);
  // Browsers ask for it on their own, on the page before this one too.
  if (pathname === '/favicon.ico') return reply(exchange.response, 204, 'image/x-icon', '');
  access.expectOwnOrigin(request);
  if (pathname === '/join') return join(exchange);
  const visitor = access.visitorOf(request);
  if (pathname === '/api/what-if' && request.method === 'POST') return tryOut(exchange);
  if (pathname === '/api/drive') return drive(exchange, visitor);
  expectMethod(exchange, 'GET');
  if (pathname === '/api/live') return live(exchange);
  const question = Object.hasOwn(questions, pathname) ? questions[pathname] : undefined;
  if (question !== undefined) return put(exchange, await question(parts, url.searchParams));
  if (visitor === 'page') return page(exchange);
  throw new Refusal(404, 'there is nothing here');
}

/** A file leads here, which is another site: the token is what counts. */
function enter(exchange: Exchange): void {
  const { response, url, access, parts } = exchange;
  expectMethod(exchange, 'GET');
  if (!parts.token.redeem(url.searchParams.get('token') ?? ''))
    throw new Refusal(403, 'that address was used or is too old: start the inspector again');
  response.setHeader('Set-Cookie', access.cookieFor('page'));
  // A redirect would not carry a strict cookie when a file led here.
  reply(response, 200, 'text/html; charset=utf-8', pageThatLeadsTo(parts.start));
  parts.onEntered();
}

const joinBody = z.strictObject({ token: z.string().max(256) });

async function join(exchange: Exchange): Promise<void> {
  const { request, response, access, parts } = exchange;
  expectMethod(exchange, 'POST');
  const { token } = await bodyOf(request, joinBody);
  if (!parts.joinToken?.redeem(token))
    throw new Refusal(403, 'that address was used or is too old: start signer inspect again');
  response.setHeader('Set-Cookie', access.cookieFor('join'));
  put(exchange, { json: { shows: parts.source.shows } });
}

async function tryOut(exchange: Exchange): Promise<void> {
  const { at, events } = await bodyOf(exchange.request, tryBody);
  put(exchange, { json: await exchange.parts.source.tryEvents(at, events) });
}

async function drive(exchange: Exchange, visitor: Visitor): Promise<void> {
  expectMethod(exchange, 'POST');
  const { driving } = exchange.parts;
  if (driving === null || visitor !== 'page') throw new Refusal(404, 'nothing can be driven here');
  await driving.drive(await bodyOf(exchange.request, driveBody));
  put(exchange, { json: driving.state() });
}

function live({ response, url, parts }: Exchange): void {
  const flow = url.searchParams.get('flow');
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  streamLive(parts, flow === null || flow === '' ? null : flow, response);
}

async function page({ response, url }: Exchange): Promise<void> {
  const file = await pageFile(url.pathname === '/' ? 'page.html' : url.pathname.slice(1));
  if (file === null) throw new Refusal(404, 'there is nothing here');
  reply(response, 200, file.type, file.text);
}

function put({ response }: Exchange, answer: { json: unknown } | { file: string; name: string }) {
  if ('json' in answer) {
    return reply(response, 200, 'application/json', JSON.stringify(answer.json));
  }
  response.setHeader('Content-Disposition', `attachment; filename="${answer.name}"`);
  reply(response, 200, 'text/html; charset=utf-8', answer.file);
}

function expectMethod({ request, response }: Exchange, method: 'GET' | 'POST'): void {
  if (request.method === method) return;
  response.setHeader('Allow', method);
  throw new Refusal(405, `this address takes ${method} only`);
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
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
