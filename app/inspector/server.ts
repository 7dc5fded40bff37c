/** The inspector's HTTP server: what the page asks, and what another inspector may ask. */
import { z } from 'zod';
import { unknownVisitor, type Visitor } from './access.ts';
import { driveBody, questions, tryBody, type Inspected } from './api.ts';
import {
  expectMethod,
  reply,
  startGuardedServer,
  type Exchange,
  type GuardedParts,
  type GuardedServer,
} from './guarded-server.ts';
import { streamLive } from './live.ts';
import { pageFile } from './page-files.ts';
import { Refusal } from './refusal.ts';
import { bodyOf } from './request-body.ts';
import type { SingleUseToken } from './single-use-token.ts';

export interface ServerParts
  extends Inspected, Pick<GuardedParts, 'token' | 'start' | 'onEntered'> {
  /** Lets another inspector in; null where none may join. */
  joinToken: SingleUseToken | null;
}

/** A page's icon is in it. */
const policy = ["img-src 'self' data:"];

export const startServer = (parts: ServerParts): Promise<GuardedServer> =>
  startGuardedServer({ ...parts, policy, route: (exchange) => route(exchange, parts) });

async function route(exchange: Exchange, parts: ServerParts): Promise<void> {
  const { request, url, path, access } = exchange;
  if (url.pathname === '/join') return join(exchange, parts);
  if (path === null) throw unknownVisitor();
  const visitor = access.visitorOf(request);
  if (path === '/api/what-if' && request.method === 'POST') return tryOut(exchange, parts);
  if (path === '/api/drive') return drive(exchange, parts, visitor);
  expectMethod(exchange, 'GET');
  if (path === '/api/live') return live(exchange, parts);
  const question = Object.hasOwn(questions, path) ? questions[path] : undefined;
  if (question !== undefined) return put(exchange, await question(parts, url.searchParams));
  if (visitor === 'page') return page(exchange, path);
  throw new Refusal(404, 'there is nothing here');
}

const joinBody = z.strictObject({ token: z.string().max(256) });

async function join(exchange: Exchange, parts: ServerParts): Promise<void> {
  const { request, response, access } = exchange;
  expectMethod(exchange, 'POST');
  const { token } = await bodyOf(request, joinBody);
  if (!parts.joinToken?.redeem(token))
    throw new Refusal(403, 'that address was used or is too old: start signer inspect again');
  response.setHeader('Set-Cookie', access.cookieFor('join'));
  put(exchange, { json: { shows: parts.source.shows, base: access.base } });
}

async function tryOut(exchange: Exchange, parts: ServerParts): Promise<void> {
  const { at, events } = await bodyOf(exchange.request, tryBody);
  put(exchange, { json: await parts.source.tryEvents(at, events) });
}

async function drive(
  exchange: Exchange,
  { driving }: ServerParts,
  visitor: Visitor,
): Promise<void> {
  expectMethod(exchange, 'POST');
  if (driving === null || visitor !== 'page') throw new Refusal(404, 'nothing can be driven here');
  await driving.drive(await bodyOf(exchange.request, driveBody));
  put(exchange, { json: driving.state() });
}

function live({ response, url }: Exchange, parts: ServerParts): void {
  const flow = url.searchParams.get('flow');
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  streamLive(parts, flow === null || flow === '' ? null : flow, response);
}

async function page({ response }: Exchange, path: string): Promise<void> {
  const file = await pageFile(path === '/' ? 'page.html' : path.slice(1));
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
