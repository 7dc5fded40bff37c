import { timingSafeEqual, type X509Certificate } from 'node:crypto';
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
  const certificate = peerCertificate(socket, alpn);
  return certificate === null ? null : pinOf(certificate);
}

/**
 * The certificate behind `peerPin`, or null on the same grounds. Ask for it once: Node gives it to a
 * client a single time.
 */
export function peerCertificate(socket: TLSSocket, alpn: string): X509Certificate | null {
  if (socket.isSessionReused() || socket.alpnProtocol !== alpn) return null;
  if (socket.getProtocol() !== 'TLSv1.3') return null;
  return socket.getPeerX509Certificate() ?? null;
}

/** Compares two pins, or other public texts of one length, without an early exit. */
export function samePin(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
