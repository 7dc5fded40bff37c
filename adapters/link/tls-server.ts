import { constants } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls';

const HANDSHAKE_TIMEOUT = 3_000;
/** A closing server leaves the last frames this long to arrive. Milliseconds. */
const LINGER = 700;

export interface TlsServer {
  /** Resolves with the port (0 takes a free one); rejects as `net.Server` errors. */
  listen(port: number, host: string): Promise<number>;
  /** Replaces key, certificate and trusted certificates for the handshakes to come. */
  setContext(context: TlsOptions): void;
  /** Takes no more connections; resolves when the last socket is gone, strangers' included. */
  close(): Promise<void>;
}

/** A TLS server without session tickets, so that every handshake shows a certificate. */
export function createTlsServer(
  options: TlsOptions & { maxSockets: number },
  accept: (socket: TLSSocket) => void,
): TlsServer {
  const secureOptions = constants.SSL_OP_NO_TICKET;
  const server = createServer(
    { ...options, secureOptions, handshakeTimeout: HANDSHAKE_TIMEOUT },
    (socket) => {
      socket.on('error', () => {});
      accept(socket);
    },
  );
  server.maxConnections = options.maxSockets;
  // Node reports a handshake that took too long and leaves its socket open.
  server.on('tlsClientError', (_error, socket) => socket.destroy());

  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          // What fails later, accepting one connection, is that connection's loss only.
          server.on('error', () => {});
          resolve((server.address() as AddressInfo).port);
        });
      }),
    setContext: (context) => server.setSecureContext({ ...context, secureOptions }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        setTimeout(() => sockets.forEach((socket) => socket.destroy()), LINGER).unref();
      }),
  };
}
