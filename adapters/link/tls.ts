import { timingSafeEqual } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { pinOf, type DeviceIdentity } from './certificate.ts';

/** The application protocols (RFC 7301) of the link and of pairing. */
export const LINK_ALPN = 'vmux-signer/1';
export const PAIR_ALPN = 'vmux-pair/1';

/** What every socket of this adapter has in common: TLS 1.3 only, own certificate, one protocol. */
export function ownSide(identity: DeviceIdentity, alpn: string) {
  return {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    key: identity.privateKeyPem,
    cert: identity.certificatePem,
    ALPNProtocols: [alpn],
  } satisfies SecureContextOptions & { ALPNProtocols: string[] };
}

/**
 * The pin of the peer's key, or null: a resumed session (it shows no certificate), another or no
 * application protocol (Node lets a peer that offers none pass), or no certificate.
 */
export function peerPin(socket: TLSSocket, alpn: string): string | null {
  if (socket.isSessionReused() || socket.alpnProtocol !== alpn) return null;
  if (socket.getProtocol() !== 'TLSv1.3') return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : pinOf(certificate);
}

/** Compares two pins, or other public texts of one length, without an early exit. */
export function samePin(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
