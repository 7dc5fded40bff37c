/** An OpenSSH agent on a Unix socket (RFC 9987). It holds no key and decides on no signature. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { SessionBind } from '../wire/session-bind.ts';
import { serveConnection } from './connection.ts';
import type { BindVerdict } from './session-binds.ts';
import { claimSocketPath, type ClaimedPath } from './socket-path.ts';

const MAX_SOCKETS = 256;

/** One socket of one asker. Which program that is, is not known. */
export interface AgentConnection {
  /** A lower-case UUID. */
  readonly id: string;
  /** What was bound on this socket, in order. An `unsupported` bind is among them. */
  readonly binds: readonly SessionBind[];
  /** A bind was refused here: its signature is not the server's, or it is against the rules. */
  readonly bindFailed: boolean;
  /** Aborted as soon as the asker has closed its socket, or its writing half of it. */
  readonly gone: AbortSignal;
}

export interface AgentIdentity {
  keyBlob: Uint8Array;
  comment: string;
}

/** The buffers belong to the receiver. Nothing in them is verified, or even read. */
export interface AgentSignRequest {
  connection: AgentConnection;
  keyBlob: Buffer;
  data: Buffer;
  /** RFC 9987 §8.3, as they came. */
  flags: number;
}

/** Whatever one of these throws is the protocol's failure, or an invalid bind. */
export interface AgentServerOptions {
  listIdentities(connection: AgentConnection): AgentIdentity[];
  /**
   * The SSH signature blob; null is the protocol's failure. A rejection counts as null. Not asked
   * for a socket that is gone, and not waited for once it is.
   */
  sign(request: AgentSignRequest): Promise<Uint8Array | null>;
  /** Whether the server's signature in a bind holds. */
  verifyBind(bind: SessionBind): BindVerdict;
}

export interface AgentServer {
  /**
   * Resolves once the socket, 0600 in a directory that is its owner's alone, can be connected to.
   * Rejects with `AgentSocketError`, which names the path.
   */
  listen(path: string): Promise<void>;
  /** Ends every connection and removes the socket, unless another has taken its path. */
  close(): Promise<void>;
}

/** Listens once at most: a closed server is not listened with again. */
export function createAgentServer(options: AgentServerOptions): AgentServer {
  const sockets = new Set<Socket>();
  let claimed: ClaimedPath | null = null;

  // Half-open, because Node would otherwise end a socket before what it asked last is answered.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveConnection(socket, options);
  });
  server.maxConnections = MAX_SOCKETS;
  // A failure to accept one socket, such as EMFILE, ends nothing else.
  server.on('error', () => undefined);

  return {
    async listen(path) {
      claimed = await claimSocketPath(server, path);
    },
    async close() {
      const ended = [...sockets].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy()),
      );
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
      await Promise.all(ended);
      claimed?.release();
      claimed = null;
    },
  };
}
