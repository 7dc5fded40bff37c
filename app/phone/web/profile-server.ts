/**
 * The configuration profile, over plain HTTP, while `signer web setup` shows its address: a phone
 * that does not trust the authority yet can load it no other way, and compares it afterwards.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROFILE_TYPE } from '../../../adapters/certificates/profile.ts';

export interface ProfileServer {
  readonly port: number;
  /** Path of the profile, which no other address of this server has anything at. */
  readonly path: string;
  close(): Promise<void>;
}

const PATH = '/signer.mobileconfig';

/** Rejects with the system's error. */
export async function serveProfile(profile: string, host = '::'): Promise<ProfileServer> {
  const server = createServer(({ method, url }, response) => {
    const isIt = url === PATH && (method === 'GET' || method === 'HEAD');
    response.writeHead(isIt ? 200 : 404, {
      'Content-Type': isIt ? PROFILE_TYPE : 'text/plain',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(isIt ? profile : 'not here\n');
  });
  server.maxConnections = 16;
  server.headersTimeout = 5_000;
  const listen = (at: string) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, at, resolve);
    });
  await listen(host).catch((error: NodeJS.ErrnoException) => {
    // A machine without IPv6.
    if (error.code !== 'EAFNOSUPPORT') throw error;
    return listen('0.0.0.0');
  });
  return {
    port: (server.address() as AddressInfo).port,
    path: PATH,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
