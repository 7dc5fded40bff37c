/** Who has come in: nonces that a browser signs once, and the cookie that it gets for that. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Milliseconds. */
const NONCE_LIFETIME = 60_000;
const SESSION_LIFETIME = 24 * 3600 * 1000;
const MOST_NONCES = 1000;
const MOST_SESSIONS = 1000;

export interface Sessions {
  newNonce(): string;
  /** True once, while it is fresh. */
  redeemNonce(nonce: string): boolean;
  /** Value of `Set-Cookie`. */
  begin(browserId: string): string;
  /** Whose cookie it is; `null`: nobody's. */
  browserOf(cookies: string | undefined): string | null;
  /** Every cookie of this browser is void. */
  end(browserId: string): void;
  /** The browsers that have a session. */
  browsers(): string[];
}

/** `now`: milliseconds of a clock that only goes forward. */
export function createSessions(
  origin: string,
  now: () => number = () => performance.now(),
): Sessions {
  const nonces = new Map<string, number>();
  /** By the hash of the cookie's value. */
  const sessions = new Map<string, { browserId: string; until: number }>();
  const { protocol, port } = new URL(origin);
  const isSecure = protocol === 'https:';
  // Cookies do not know ports: another program's on localhost must not be taken for this one's.
  const name = isSecure ? '__Host-signer' : `signer-${port}`;

  return {
    newNonce() {
      makeRoom(nonces, MOST_NONCES);
      const nonce = newSecret();
      nonces.set(nonce, now() + NONCE_LIFETIME);
      return nonce;
    },
    redeemNonce(nonce) {
      const until = nonces.get(nonce);
      nonces.delete(nonce);
      return until !== undefined && now() < until;
    },
    begin(browserId) {
      makeRoom(sessions, MOST_SESSIONS);
      const secret = newSecret();
      sessions.set(digest(secret), { browserId, until: now() + SESSION_LIFETIME });
      const secure = isSecure ? '; Secure' : '';
      const age = SESSION_LIFETIME / 1000;
      return `${name}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`;
    },
    browserOf(cookies) {
      for (const pair of (cookies ?? '').split(';')) {
        const [key = '', ...value] = pair.trim().split('=');
        if (key !== name) continue;
        const given = digest(value.join('='));
        for (const [known, { browserId, until }] of sessions) {
          if (isSame(given, known) && now() < until) return browserId;
        }
      }
      return null;
    },
    end(browserId) {
      for (const [key, session] of sessions) {
        if (session.browserId === browserId) sessions.delete(key);
      }
    },
    browsers: () => [...new Set(sessions.values().map(({ browserId }) => browserId))],
  };
}

/** The oldest go. */
function makeRoom(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size < most) return;
    map.delete(key);
  }
}

/** 32 random bytes as base64url. */
export const newSecret = () => randomBytes(32).toString('base64url');

const digest = (text: string) => hash('sha256', text);
const isSame = (one: string, other: string) =>
  timingSafeEqual(Buffer.from(one), Buffer.from(other));
