/**
 * Who may speak to the inspector: the browser that came in by the token, and nobody who merely can
 * reach the port. A page of another site, a name that was rebound to 127.0.0.1 and another user of
 * this machine are all turned away.
 */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';
import { isSameSecret, newSecret } from './single-use-token.ts';

/** A `page` may do everything, a joined inspector (`join`) may read. */
export type Visitor = 'page' | 'join';

export interface Access {
  /**
   * The path below which everything is, and which nobody can guess: `/SECRET`. A browser sends a
   * cookie of 127.0.0.1 to every port there, but below this path only.
   */
  readonly base: string;
  /** What of a path is below `base`: `/`, `/page.js`; null for any other path. */
  below(path: string): string | null;
  /** Value of `Set-Cookie` for a visitor who has shown a token. */
  cookieFor(visitor: Visitor): string;
  /** Who it is, by the cookie. @throws {Refusal} 403 */
  visitorOf(request: IncomingMessage): Visitor;
  /** `Host` is exactly this server's. @throws {Refusal} 403 */
  expectHost(request: IncomingMessage): void;
  /** What sent it is this server's own page, or no page. @throws {Refusal} 403 */
  expectOwnOrigin(request: IncomingMessage): void;
}

/** `port`: on 127.0.0.1. */
export function createAccess(port: number): Access {
  const host = `127.0.0.1:${port}`;
  // Cookies do not know ports: another inspector's must not be taken for this one's.
  const name = `inspector-${port}`;
  const secrets: Record<Visitor, string> = { page: newSecret(), join: newSecret() };
  const visitors = ['page', 'join'] as const;
  const secretPath = newSecret();
  const base = `/${secretPath}`;

  return {
    base,
    below(path) {
      const [, first = '', rest] = /^\/([^/]*)(\/.*)$/.exec(path) ?? [];
      return rest !== undefined && isSameSecret(first, secretPath) ? rest : null;
    },
    cookieFor: (visitor) => `${name}=${secrets[visitor]}; HttpOnly; SameSite=Strict; Path=${base}/`,
    visitorOf({ headers }) {
      const given = cookiesIn(headers.cookie).filter(([key]) => key === name);
      const visitor = visitors.find((one) =>
        given.some(([, value]) => isSameSecret(value, secrets[one])),
      );
      if (visitor === undefined) throw unknownVisitor();
      return visitor;
    },
    expectHost({ headers }) {
      if (headers.host !== host) throw new Refusal(403, 'this server has another name');
    },
    expectOwnOrigin({ method, headers }) {
      const { origin } = headers;
      const isOwn = origin === `http://${host}` || (origin === undefined && method === 'GET');
      const site = headers['sec-fetch-site'];
      const isSameSite = site === undefined || site === 'same-origin' || site === 'none';
      if (!isOwn || !isSameSite) throw new Refusal(403, 'another page may not ask this one');
    },
  };
}

/** Nobody who came in by the token. */
export const unknownVisitor = () =>
  new Refusal(403, 'open the inspector by the address that its program printed');

function cookiesIn(header: string | undefined): [name: string, value: string][] {
  return (header ?? '').split(';').map((pair) => {
    const [name = '', ...value] = pair.trim().split('=');
    return [name, value.join('=')];
  });
}
