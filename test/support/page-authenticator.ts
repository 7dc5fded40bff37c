/**
 * An authenticator that outlives the browser, as a phone's does: Chromium's own virtual one forgets
 * its secrets with the page. It stands for `navigator.credentials` in the pages of a context.
 */
import { Buffer } from 'node:buffer';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { createAuthenticator, type Authenticator, type Behaviour } from './authenticator.ts';

interface Held {
  authenticator: Authenticator;
  /** Of hmac-secret. */
  secret: Buffer;
}

interface Asked {
  method: 'create' | 'get';
  origin: string;
  rpId: string;
  challenge: string;
  /** Credential ids. */
  allowed: string[];
  /** PRF's input. */
  prf: string | null;
}

export interface PageAuthenticator {
  /** What its owner, and it, do next. */
  behaviour: Partial<Behaviour> & {
    cancels?: boolean;
    /** Milliseconds until it answers. */
    takes?: number;
  };
  /** How often it was asked to sign. */
  asked(): number;
  /** Before the first page of the context is opened. */
  install(context: BrowserContext): Promise<void>;
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

export function createPageAuthenticator(): PageAuthenticator {
  const held = new Map<string, Held>();
  let count = 0;

  function create({ rpId, origin, challenge }: Asked) {
    const authenticator = createAuthenticator({ rpId, origin, synced: true, hmacSecret: true });
    const id = base64url(authenticator.credentialId);
    held.set(id, { authenticator, secret: randomBytes(32) });
    const made = authenticator.create(Buffer.from(challenge, 'base64url'), self.behaviour);
    return { id, ...encoded(made), extensions: { prf: { enabled: true } } };
  }

  function get({ allowed, challenge, prf }: Asked) {
    const id = allowed.find((one) => held.has(one));
    const found = held.get(id ?? '');
    if (found === undefined) return null;
    const made = found.authenticator.get(Buffer.from(challenge, 'base64url'), self.behaviour);
    const first = prf === null ? null : prfOutput(found.secret, Buffer.from(prf, 'base64url'));
    const extensions = first === null ? {} : { prf: { results: { first: base64url(first) } } };
    return { id, ...encoded(made), extensions };
  }

  const self: PageAuthenticator = {
    behaviour: {},
    asked: () => count,
    async install(context) {
      await context.exposeBinding('askAuthenticator', async (_source, asked: Asked) => {
        if (asked.method === 'get') count += 1;
        const { cancels = false, takes = 0 } = self.behaviour;
        if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes).unref());
        if (cancels) return null;
        return asked.method === 'create' ? create(asked) : get(asked);
      });
      await context.addInitScript({ path: resolve('test/support/page-credentials.js') });
    },
  };
  return self;
}

const encoded = (fields: Record<string, Uint8Array>) =>
  Object.fromEntries(Object.entries(fields).map(([name, bytes]) => [name, base64url(bytes)]));

/** WebAuthn Level 3 §10.1.4, CTAP 2.1 §12.5. */
function prfOutput(secret: Buffer, input: Buffer): Buffer {
  const salt = createHash('sha256').update('WebAuthn PRF\0').update(input).digest();
  return createHmac('sha256', secret).update(salt).digest();
}
