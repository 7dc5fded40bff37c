/** A server of the phone's page that one browser may pair with. */
import { expect, onTestFinished } from 'vitest';
import { createAuthority, issueLeaf } from '../../adapters/certificates/authority.ts';
import type { PageMessage } from '../../adapters/phone-page/protocol.ts';
import { startPageServer, type PageConnection } from '../../adapters/phone-page/server.ts';
import { createPageClient, type Answer } from '../support/page-client.ts';
import { freePort } from '../support/sshd.ts';

export const CODE = 'ABCD2345';

/**
 * With one page file, and an invitation; closed when the test has finished. `secure`: over TLS, under
 * a name of its own, with a certificate that `client` trusts.
 */
export async function rig({ secure = false } = {}) {
  const port = await freePort();
  const name = secure ? 'signer-test.local' : 'localhost';
  const origin = `${secure ? 'https' : 'http'}://${name}:${port}`;
  const authority = secure ? await createAuthority(name) : null;
  const leaf = authority && (await issueLeaf(authority, name));
  const paired: { id: string; name: string; publicKey: string }[] = [];
  const received: PageMessage[] = [];
  const connections: PageConnection[] = [];
  let invitation: 'open' | 'used' = 'open';
  let tries = 0;
  const server = await startPageServer({
    origin,
    listen: { host: '127.0.0.1', port },
    tls: leaf && { cert: leaf.certificatePem, key: leaf.privateKeyPem },
    release: '1.2.3',
    file: (path) =>
      path === '/'
        ? { type: 'text/html; charset=utf-8', body: '<!doctype html>', immutable: false }
        : path === '/assets/page-abc.js'
          ? { type: 'text/javascript', body: new Uint8Array([59]), immutable: true }
          : null,
    browsers: () => paired,
    admit(code, browser) {
      if (invitation === 'used') return 'noInvitation';
      if (tries >= 5) return 'tooManyTries';
      if (code !== CODE) {
        tries += 1;
        return 'wrongCode';
      }
      invitation = 'used';
      const browserId = `browser-${paired.length}`;
      paired.push({ id: browserId, ...browser });
      return { browserId };
    },
    connected(connection) {
      connections.push(connection);
      connection.onMessage((message) => void received.push(message));
    },
  });
  onTestFinished(() => server.close());
  const client = createPageClient(origin, { ca: authority?.certificatePem ?? null });
  const pairedClient = async () => {
    expect(await client.pair(CODE)).toMatchObject({ status: 200 });
    return client;
  };
  return { origin, port, server, authority, client, paired, received, connections, pairedClient };
}

export const errorOf = ({ body }: Answer) => (JSON.parse(body) as { error: string }).error;
