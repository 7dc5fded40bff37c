import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { pinOf, type DeviceIdentity } from '../certificate.ts';
import { ownSide, PAIR_ALPN } from '../tls.ts';
import { EXPORTER } from './exchange.ts';

/** Another device at a first meeting: its key is proven, who it belongs to is not. */
export interface Stranger {
  pin: string;
  certificatePem: string;
}

/** What each side stores of the other when a pairing is complete. */
export interface PairingRecord extends Stranger {
  /** What the other device calls itself: foreign text. */
  name: string;
}

/**
 * TLS for a meeting: both certificates are asked for, and neither is judged; the digits bind them.
 */
export function meetingTls(identity: DeviceIdentity) {
  return { ...ownSide(identity, PAIR_ALPN), requestCert: true, rejectUnauthorized: false };
}

/** The device whose key this certificate carries. */
export function strangerWith(certificate: X509Certificate): Stranger {
  return { pin: pinOf(certificate), certificatePem: certificate.toString() };
}

/** Keying material that only the two ends of this one TLS connection share. */
export function exporterOf(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER.length, EXPORTER.label, Buffer.alloc(0));
}
