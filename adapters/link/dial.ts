import type { X509Certificate } from 'node:crypto';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../../machines/ports.ts';
import { pinOf } from './certificate.ts';
import { peerCertificate } from './tls.ts';

/** A second dial of the same endpoint after this hides the loss of the first one's SYN. */
const SECOND_DIAL = 300;
/** A stopped process still accepts connections; its TLS handshake is what never ends. */
const DEADLINE = 3_000;

export type DialOutcome =
  | { answered: true; socket: TLSSocket; pin: string; certificate: X509Certificate }
  | {
      answered: false;
      /** Something answered, and it is not one to talk to. */
      isStranger: boolean;
      detail: string;
    };

export interface Dial {
  endpoint: Endpoint;
  tls: ConnectionOptions;
  alpn: string;
  /** Whether the peer with this pin is one to talk to. */
  accepts: (pin: string) => boolean;
}

/**
 * Dials an endpoint and calls `done` once, unless the function that it returns was called before:
 * that one drops the dial. Not one application byte is sent.
 */
export function dial(
  { endpoint, tls, alpn, accepts }: Dial,
  done: (outcome: DialOutcome) => void,
): () => void {
  const sockets = new Set<TLSSocket>();
  let settled = false;
  const second = setTimeout(start, SECOND_DIAL);
  const deadline = setTimeout(
    () => settle({ answered: false, isStranger: false, detail: 'no answer' }),
    DEADLINE,
  );

  function settle(outcome: DialOutcome | null): void {
    if (settled) return;
    settled = true;
    clearTimeout(second);
    clearTimeout(deadline);
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (outcome !== null) done(outcome);
  }

  function fail(socket: TLSSocket, detail: string, isStranger = false): void {
    if (!sockets.delete(socket)) return;
    socket.destroy();
    if (sockets.size === 0) settle({ answered: false, isStranger, detail });
  }

  function start(): void {
    const { address: host, port } = endpoint;
    const socket = connect({ ...tls, host, port, servername: '' });
    sockets.add(socket);
    socket.once('connect', () => clearTimeout(second));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      fail(socket, error.code ?? error.message, isDistrusted(socket)),
    );
    socket.on('close', () => fail(socket, 'closed'));
    socket.once('secureConnect', () => {
      const certificate = peerCertificate(socket, alpn);
      if (certificate === null) return fail(socket, 'no certificate, or another protocol');
      const pin = pinOf(certificate);
      if (!accepts(pin)) return fail(socket, 'another certificate', true);
      if (!sockets.delete(socket)) return;
      settle({ answered: true, socket, pin, certificate });
    });
  }

  start();
  return () => settle(null);
}

/** TLS was spoken, and the peer's certificate is none of those that were wanted. */
const isDistrusted = (socket: TLSSocket) => (socket.authorizationError ?? null) !== null;
