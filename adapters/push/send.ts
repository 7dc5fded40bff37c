/** One message to one browser through its push service: Web Push, RFC 8030, 8188, 8291 and 8292. */
import { Buffer } from 'node:buffer';
import { companyOf, type PushSubscription } from './subscription.ts';
import type { VapidKeys } from './vapid.ts';

export interface PushMessage {
  subscription: PushSubscription;
  vapid: VapidKeys;
  /** The push service does not see it, but knows its length. */
  payload: string;
  /** Seconds for which the service keeps it for a browser that is not reachable. */
  ttl: number;
  /** Milliseconds until an answer is no longer waited for. */
  timeout?: number;
  signal?: AbortSignal;
  fetch?: typeof globalThis.fetch;
}

/** `gone`: the subscription is no more, and is to be dropped. `failed`: why, in a few plain words. */
export type PushOutcome = 'sent' | 'gone' | { failed: string };

/**
 * Whom a push service may write to about the sender (RFC 8292 §2.1). Apple wants one, and answers
 * BadJwtToken to names that are not public, such as signer-XXXX.local; a public one would tell the
 * services whose signer this is. This one is reserved (RFC 2606) and is nobody's.
 */
const CONTACT = 'mailto:noreply@example.com';

const TIMEOUT = 10_000;

/** Bytes of an answer that are read, for the reason that it may give. */
const LARGEST_ANSWER = 1024;

/** Sends once. Never rejects: what went wrong is the outcome. Redirects are not followed. */
export async function sendPush(message: PushMessage): Promise<PushOutcome> {
  const { subscription, timeout = TIMEOUT, fetch = globalThis.fetch } = message;
  if (companyOf(subscription.endpoint) === null) return { failed: 'no known push service' };
  const ends = [AbortSignal.timeout(timeout), ...(message.signal ? [message.signal] : [])];
  try {
    const response = await fetch(subscription.endpoint, {
      method: 'POST',
      redirect: 'manual',
      ...(await encrypted(message)),
      signal: AbortSignal.any(ends),
    });
    return await outcomeOf(response);
  } catch (error) {
    return { failed: faultOf(error) };
  }
}

async function encrypted({ subscription, vapid, payload, ttl }: PushMessage) {
  const { default: webPush } = await import('web-push');
  const { headers, body } = webPush.generateRequestDetails(subscription, payload, {
    vapidDetails: { subject: CONTACT, ...vapid },
    TTL: ttl,
    urgency: 'high',
    contentEncoding: 'aes128gcm',
  });
  const { 'Content-Length': _, ...others } = headers;
  return {
    headers: Object.entries(others).map(([name, value]): [string, string] => [name, String(value)]),
    body: new Uint8Array(body ?? []),
  };
}

async function outcomeOf(response: Response): Promise<PushOutcome> {
  const { status, ok } = response;
  if (ok || status === 404 || status === 410) {
    await response.body?.cancel();
    return ok ? 'sent' : 'gone';
  }
  const reason = reasonIn(await beginningOf(response));
  return { failed: `HTTP ${status}${reason === null ? '' : ` ${reason}`}` };
}

/** What Apple says in one word; other texts of a service may repeat the subscription's address. */
function reasonIn(text: string): string | null {
  return /^\{"reason":"([A-Za-z]{1,40})"\}$/.exec(text.trim())?.[1] ?? null;
}

async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= LARGEST_ANSWER) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, LARGEST_ANSWER);
}

/** By its code: the sentences of errors may have the subscription's address in them. */
function faultOf(error: unknown): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  if (name === 'AbortError') return 'given up';
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? `no connection: ${code}` : 'no connection';
}
