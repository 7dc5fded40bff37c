/** WebAuthn's relying party: the host name that a passkey belongs to, and the pages that may use it. */

/** RFC 1035 §2.3.4. */
const longestName = 253;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const names = new RegExp(`^(?:${label}\\.)*${label}$`);

/**
 * Whether `text` can be a relying party's id (WebAuthn Level 2 §5.1.2): a host name in lower-case
 * ASCII. An IP address never is one.
 */
export function isRpId(text: string): boolean {
  return text.length <= longestName && names.test(text) && !/(^|\.)[0-9]+$/.test(text);
}

/**
 * Whether a page of this origin may use the relying party's passkeys: its host is `rpId` or below
 * it, on any port, over https or on this very machine (WebAuthn Level 2 §5.1.3). `origin` has to be
 * in the only form that a browser writes. Whether a registrable domain lies between the two is the
 * browser's to ask, when the passkey is made.
 */
export function isOriginOf(origin: string, rpId: string): boolean {
  if (!isRpId(rpId) || !URL.canParse(origin)) return false;
  const { origin: written, protocol, hostname } = new URL(origin);
  if (written !== origin) return false;
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isAt(hostname, 'localhost'));
  return isSecure && isAt(hostname, rpId);
}

const isAt = (host: string, name: string) => host === name || host.endsWith(`.${name}`);
