/** The requests of the phone's page, by Hono: its files, and how a browser pairs and comes in. */
import { Hono, type Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { bodyLimit } from 'hono/body-limit';
import { createAccess } from './access.ts';
import { isSignedBy } from './device-key.ts';
import { securityHeaders } from './headers.ts';
import { readPairRequest, readSessionRequest } from './messages.ts';
import {
  pairingText,
  paths,
  sessionText,
  type HttpProblem,
  type NonceReply,
  type PairReply,
} from './protocol.ts';
import type { Sessions } from './sessions.ts';

/** A file of the built page. `type`: media type. `immutable`: its name has its hash. */
export interface PageFile {
  type: string;
  body: string | Uint8Array;
  immutable: boolean;
}

export interface RouteParts {
  origin: string;
  sessions: Sessions;
  /** `null`: the page has none of that path. */
  file: (path: string) => PageFile | null;
  /** Those that are paired now. */
  browsers: () => readonly { id: string; publicKey: string }[];
  /** Pairs the browser, and uses the code up, if it is the right one. */
  admit: (
    code: string,
    browser: { name: string; publicKey: string },
  ) => { browserId: string } | 'noInvitation' | 'wrongCode' | 'tooManyTries';
}

type Env = { Bindings: HttpBindings };

const LARGEST_BODY = 16 * 1024;

export function createRoutes(parts: RouteParts): Hono<Env> {
  const { origin, sessions, file, browsers, admit } = parts;
  const access = createAccess(origin);
  const headers = securityHeaders(origin);
  const app = new Hono<Env>();

  const refuse = (c: Context<Env>, status: 400 | 403 | 404 | 405 | 413, error: HttpProblem) =>
    c.json({ error }, status);

  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const { incoming } = c.env;
    if (!access.isForUs(incoming)) return refuse(c, 403, 'forbidden');
    const { method } = c.req;
    if (method === 'POST') {
      if (!access.isOurOwn(incoming)) return refuse(c, 403, 'forbidden');
    } else if (method !== 'GET' && method !== 'HEAD') {
      c.header('Allow', 'GET, HEAD, POST');
      return refuse(c, 405, 'forbidden');
    } else if (!access.mayRead(incoming)) return refuse(c, 403, 'forbidden');
    return next();
  });
  app.use(bodyLimit({ maxSize: LARGEST_BODY, onError: (c) => c.json({ error: 'tooLarge' }, 413) }));

  app.post(paths.pair, async (c) => {
    const request = readPairRequest(await c.req.text());
    if (request === null) return refuse(c, 400, 'malformed');
    const { code, name, publicKey, signature } = request;
    // Whoever does not even sign what they say uses no try up, and learns nothing of the code.
    if (!isSignedBy(publicKey, pairingText(origin, code, publicKey), signature)) {
      return refuse(c, 400, 'malformed');
    }
    const admitted = admit(code, { name, publicKey });
    if (typeof admitted === 'string') return refuse(c, 403, admitted);
    c.header('Set-Cookie', sessions.begin(admitted.browserId));
    return c.json(admitted satisfies PairReply);
  });

  app.post(paths.nonce, (c) => c.json({ nonce: sessions.newNonce() } satisfies NonceReply));

  app.post(paths.session, async (c) => {
    const request = readSessionRequest(await c.req.text());
    if (request === null) return refuse(c, 400, 'malformed');
    const { browserId, nonce, signature } = request;
    if (!sessions.redeemNonce(nonce)) return refuse(c, 403, 'staleNonce');
    const browser = browsers().find(({ id }) => id === browserId);
    const isIt =
      browser !== undefined && isSignedBy(browser.publicKey, sessionText(origin, nonce), signature);
    if (!isIt) return refuse(c, 403, 'unpaired');
    c.header('Set-Cookie', sessions.begin(browserId));
    return c.json({});
  });

  app.get('*', (c) => {
    const found = file(c.req.path);
    if (found === null) return refuse(c, 404, 'notFound');
    const { type, body, immutable } = found;
    c.header('Content-Type', type);
    if (immutable) c.header('Cache-Control', 'public, max-age=31536000, immutable');
    return c.body(typeof body === 'string' ? body : new Uint8Array(body));
  });

  app.notFound((c) => refuse(c, 404, 'notFound'));
  app.onError((_error, c) => refuse(c, 400, 'malformed'));
  return app;
}
