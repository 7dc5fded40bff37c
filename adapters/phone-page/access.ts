/** Whether a request is one of the page's own: by its Host, and by where it comes from. */
import type { IncomingMessage } from 'node:http';

export interface Access {
  /** It names this server exactly: a name that was rebound to this address is another. */
  isForUs(request: IncomingMessage): boolean;
  /** A page of this origin sent it, and no other. */
  isOurOwn(request: IncomingMessage): boolean;
  /** It may have a document, which holds no secret: a link may lead here from anywhere. */
  mayRead(request: IncomingMessage): boolean;
}

export function createAccess(origin: string): Access {
  const { host } = new URL(origin);
  return {
    isForUs: ({ headers }) => headers.host === host,
    isOurOwn: (request) =>
      request.headers.origin === origin && [undefined, 'same-origin'].includes(siteOf(request)),
    mayRead(request) {
      const { origin: from } = request.headers;
      if (from !== undefined && from !== origin) return false;
      const isDocument = request.headers['sec-fetch-dest'] === 'document';
      return isDocument || [undefined, 'same-origin', 'none'].includes(siteOf(request));
    },
  };
}

function siteOf({ headers }: IncomingMessage): string | undefined {
  const site = headers['sec-fetch-site'];
  return Array.isArray(site) ? '' : site;
}
