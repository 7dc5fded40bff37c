/**
 * Where a browser can be pushed to: `PushSubscription.toJSON()` of the Push API. Who has one can
 * send to it only with the VAPID key it was made for, but reads from it who the browser is: it is
 * kept as a secret.
 */
import { Buffer } from 'node:buffer';
import { createECDH } from 'node:crypto';
import { z } from 'zod';

export interface PushSubscription {
  endpoint: string;
  /** base64url without padding: raw P-256 point of 65 bytes, and 16 bytes (RFC 8291 §3). */
  keys: { p256dh: string; auth: string };
}

/** Who runs a push service. */
export type PushCompany = 'Apple' | 'Google' | 'Mozilla' | 'Microsoft';

/** The services of the browsers there are. `signer` is not made to talk to any other host. */
const services: { host: RegExp; company: PushCompany }[] = [
  { host: /^([a-z0-9-]+\.)+push\.apple\.com$/, company: 'Apple' },
  { host: /^fcm\.googleapis\.com$/, company: 'Google' },
  { host: /^([a-z0-9-]+\.)+push\.services\.mozilla\.com$/, company: 'Mozilla' },
  { host: /^([a-z0-9-]+\.)+notify\.windows\.com$/, company: 'Microsoft' },
];

const LONGEST_ENDPOINT = 2000;

const schema = z.strictObject({
  endpoint: z.string().max(LONGEST_ENDPOINT),
  keys: z.strictObject({
    p256dh: z.string().refine(isPoint),
    auth: z.string().refine((text) => bytesOf(text)?.length === 16),
  }),
});

/** `null` when it is none, or not of a known push service. */
export function readSubscription(json: unknown): PushSubscription | null {
  const { success, data } = schema.safeParse(json);
  return success && companyOf(data.endpoint) !== null ? data : null;
}

/** Whose push service this is; `null` when it is not an address of one that is known. */
export function companyOf(endpoint: string): PushCompany | null {
  const url = URL.parse(endpoint);
  // Compared whole: a URL that is written in another way than it is read is not taken.
  if (url === null || url.href !== endpoint || url.protocol !== 'https:') return null;
  if (url.port !== '' || url.username !== '' || url.password !== '' || url.hash !== '') return null;
  return services.find(({ host }) => host.test(url.hostname))?.company ?? null;
}

/** In their only base64url form, or `null`. */
function bytesOf(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function isPoint(text: string): boolean {
  const bytes = bytesOf(text);
  if (bytes?.length !== 65) return false;
  try {
    const own = createECDH('prime256v1');
    own.generateKeys();
    own.computeSecret(bytes);
    return true;
  } catch {
    return false;
  }
}
