/**
 * The server of the phone's page: HTTPS at a fixed name and port, or plain HTTP on localhost, and
 * the socket on which the page and `signer` speak.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { createAccess } from './access.ts';
import { openConnection, type PageConnection } from './connection.ts';
import { securityHeaders } from './headers.ts';
import { closeCodes, LARGEST_FRAME, paths } from './protocol.ts';
import { createRoutes, type RouteParts } from './routes.ts';
import { createSessions } from './sessions.ts';

export type { PageConnection };

/** PEM. */
export interface PageCertificate {
  cert: string;
  key: string;
}

export interface PageServerParts extends Omit<RouteParts, 'sessions'> {
  listen: { host: string; port: number };
  /** `null`: plain HTTP, for a browser of this machine. */
  tls: PageCertificate | null;
  release: string;
  connected: (connection: PageConnection) => void;
}

export interface PageServer {
  readonly port: number;
  /** For handshakes from now on. */
  replaceCertificate(certificate: PageCertificate): void;
  /** Browsers that are not paired any more are cut off at once. */
  recheckBrowsers(): void;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 128;
const MOST_SOCKETS_A_BROWSER = 8;
/** Milliseconds. */
const HEADERS_TIMEOUT = 10_000;
/** How often it is looked for those who take longer. */
const CHECKING_PERIOD = 5_000;

/** Rejects with the system's error when the port cannot be had. */
export async function startPageServer(parts: PageServerParts): Promise<PageServer> {
  const { origin, listen, tls, release, browsers, connected } = parts;
  const access = createAccess(origin);
  const sessions = createSessions(origin);
  const answer = getRequestListener(createRoutes({ ...parts, sessions }).fetch, {
    overrideGlobalObjects: false,
    // What is no request at all does not come as far as the routes.
    errorHandler: () => new Response(null, { status: 400, headers: securityHeaders(origin) }),
  });
  const options = {
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: 2 * HEADERS_TIMEOUT,
    connectionsCheckingInterval: CHECKING_PERIOD,
  };
  const handshake = { minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT } as const;
  const secure = tls && createHttpsServer({ ...tls, ...options, ...handshake });
  const server: Server = secure ?? createHttpServer(options);
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response));
  const upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_FRAME,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const connections = new Set<PageConnection>();

  const keyOf = (browserId: string) =>
    browsers().find(({ id }) => id === browserId)?.publicKey ?? null;

  /** Whose socket it may be; else the status with which it is turned away. */
  function mayUpgrade(request: IncomingMessage): string | number {
    if (!access.isForUs(request) || !access.isOurOwn(request)) return 403;
    if (request.url !== paths.socket) return 404;
    const browserId = sessions.browserOf(request.headers.cookie);
    if (browserId === null || keyOf(browserId) === null) return 403;
    const open = [...connections].filter((one) => one.browserId === browserId);
    return open.length < MOST_SOCKETS_A_BROWSER ? browserId : 429;
  }

  function browserFor(request: IncomingMessage): string | number {
    try {
      return mayUpgrade(request);
    } catch {
      // Who is paired cannot be read now.
      return 503;
    }
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const browserId = browserFor(request);
    socket.on('error', () => socket.destroy());
    if (typeof browserId === 'number') {
      // Node keeps no time of a socket that it gave away: one that is left half open would stay.
      socket.once('finish', () => socket.destroy());
      socket.end(`HTTP/1.1 ${browserId} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket as Socket, head, (opened) => {
      const publicKey = () => keyOf(browserId);
      const connection = openConnection({ socket: opened, origin, release, browserId, publicKey });
      connections.add(connection);
      connection.onClose(() => connections.delete(connection));
      connected(connection);
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => {});

  return {
    port: (server.address() as AddressInfo).port,
    replaceCertificate: (certificate) => void secure?.setSecureContext(certificate),
    recheckBrowsers() {
      const paired = new Set(browsers().map(({ id }) => id));
      for (const id of sessions.browsers()) if (!paired.has(id)) sessions.end(id);
      for (const connection of connections) {
        if (!paired.has(connection.browserId)) connection.close(closeCodes.unpaired);
      }
    },
    close: () =>
      new Promise((resolve) => {
        for (const connection of connections) connection.close(closeCodes.ended);
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 200).unref();
      }),
  };
}
