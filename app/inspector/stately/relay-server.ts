/**
 * The relay's HTTP server, with the rules of the inspector's own. The package's server is not used:
 * it listens on every interface and takes any origin.
 */
import type { ServerResponse } from 'node:http';
import { unknownVisitor } from '../access.ts';
import {
  expectMethod,
  reply,
  startGuardedServer,
  type Exchange,
  type GuardedParts,
  type GuardedServer,
} from '../guarded-server.ts';
import { Refusal } from '../refusal.ts';
import { relayPageFile } from './relay-page.ts';

/** Where Stately's inspector is: the one address that the relay's page may frame and write to. */
export const STATELY_ORIGIN = 'https://stately.ai';

export interface RelayParts extends Pick<GuardedParts, 'token' | 'onEntered'> {
  /** Sends messages from the beginning, until the returned function is called. */
  stream: (send: (message: object) => void) => () => void;
}

export const startRelayServer = (parts: RelayParts): Promise<GuardedServer> =>
  startGuardedServer({
    ...parts,
    start: '',
    policy: [`frame-src ${STATELY_ORIGIN}`],
    route: (exchange) => route(exchange, parts),
  });

function route(exchange: Exchange, { stream }: RelayParts): void {
  const { request, response, access, path } = exchange;
  expectMethod(exchange, 'GET');
  if (path === null) throw unknownVisitor();
  access.visitorOf(request);
  if (path === '/events') return streamTo(response, stream);
  const file = relayPageFile(path);
  if (file === null) throw new Refusal(404, 'there is nothing here');
  reply(response, 200, file.type, file.text);
}

/** Server-sent events, each one message as JSON. */
function streamTo(response: ServerResponse, stream: RelayParts['stream']): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  const stop = stream((message) => void response.write(`data: ${JSON.stringify(message)}\n\n`));
  response.on('close', stop);
}
