import type { TLSSocket } from 'node:tls';
import type { DeviceIdentity, PairedDevice } from './certificate.ts';
import { LINK_ALPN, ownSide, peerPin, samePin } from './tls.ts';
import { createTlsServer, type TlsServer } from './tls-server.ts';

/** Strangers in their handshake included. */
const MAX_SOCKETS = 128;

export interface PinnedServer extends Pick<TlsServer, 'listen' | 'close'> {
  /** Handshakes from now on are judged by the present pairings. */
  recheckPins(): void;
  isPaired(device: PairedDevice): boolean;
}

/**
 * A TLS server that only paired devices get into. Anyone else is cut off when the handshake is
 * over, without one application byte. Every handshake is a full one.
 */
export function createPinnedServer(
  {
    identity,
    pairedDevices,
  }: { identity: DeviceIdentity; pairedDevices: () => readonly PairedDevice[] },
  accept: (socket: TLSSocket, device: PairedDevice) => void,
): PinnedServer {
  function context() {
    const paired = pairedDevices().map((device) => device.certificatePem);
    return {
      ...ownSide(identity, LINK_ALPN),
      // Without any list Node would trust the public roots. The pin below lets nobody in by this.
      ca: paired.length > 0 ? paired : [identity.certificatePem],
    };
  }

  const server = createTlsServer(
    { ...context(), requestCert: true, rejectUnauthorized: true, maxSockets: MAX_SOCKETS },
    (socket) => {
      const pin = peerPin(socket, LINK_ALPN);
      const device =
        pin === null ? undefined : pairedDevices().find((paired) => samePin(paired.pin, pin));
      if (socket.authorized && device !== undefined) accept(socket, device);
      else socket.destroy();
    },
  );

  return {
    listen: server.listen,
    recheckPins: () => server.setContext(context()),
    isPaired: ({ id, pin }) =>
      pairedDevices().some((device) => device.id === id && samePin(device.pin, pin)),
    close: server.close,
  };
}
