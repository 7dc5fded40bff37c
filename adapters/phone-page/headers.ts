/** What every answer of the page's server says to the browser. */

/**
 * No `Strict-Transport-Security`: it would hold for every port of a name, and a `.local` name may
 * serve others. `trusted-types page`: the one policy that names the service worker's address.
 */
export function securityHeaders(origin: string): Record<string, string> {
  const socket = origin.replace(/^http/, 'ws');
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${socket}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types page',
  ].join('; ');
  return {
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'publickey-credentials-get=(self), publickey-credentials-create=(self), ' +
      'screen-wake-lock=(self), camera=(), microphone=(), geolocation=()',
    'Cache-Control': 'no-store',
  };
}
