/**
 * Waking the phone's page by Web Push, for browsers whose person turned that on. It goes through the
 * company that made the browser, which learns that something was sent, and when: the message itself
 * is a random number, encrypted.
 */
import { randomBytes } from 'node:crypto';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import type { PagePushSubscription } from '../../../adapters/phone-page/actions.ts';
import { sendPush, type PushOutcome } from '../../../adapters/push/send.ts';
import {
  companyOf,
  readSubscription,
  type PushCompany,
} from '../../../adapters/push/subscription.ts';
import { WrongUsage } from '../../trouble.ts';
import { pairedBrowsers } from './browsers.ts';
import {
  dropSubscription,
  keepSubscription,
  subscribedBrowsers,
  subscriptionOf,
  vapidKeys,
} from './push-files.ts';

export interface PushParts {
  home: string;
  log: EventLog;
  send?: typeof sendPush;
}

export type Push = ReturnType<typeof createPush>;

/** Seconds for which a push service keeps it: no request waits longer than two minutes. */
const TTL = 60;

/** One browser is not woken again within that. Milliseconds. */
const PAUSE = 5_000;

/** Requests that are remembered, to wake for each of them once. */
const REMEMBERED = 200;

export function createPush({ home, log, send = sendPush }: PushParts) {
  const ending = new AbortController();
  const woken = new Map<string, number>();
  const refs = new Set<string>();

  const isPaired = (browserId: string) => pairedBrowsers(log).some(({ id }) => id === browserId);

  function drop(browserId: string, why: 'person' | 'gone' | 'unpaired'): void {
    dropSubscription(home, browserId);
    note(browserId, 'push.turnedOff', { why });
  }

  function note(browserId: string, type: string, data: Record<string, string> = {}): void {
    log.append(`push/${browserId}`, 'any', [{ type, data: { browserId, ...data } }]);
  }

  /** What browsers left behind that are no longer paired. */
  function dropUnpaired(): void {
    const paired = new Set(pairedBrowsers(log).map(({ id }) => id));
    for (const id of subscribedBrowsers(home)) if (!paired.has(id)) drop(id, 'unpaired');
  }

  /** `null`: it is not on. */
  async function sendTo(browserId: string): Promise<PushOutcome | null> {
    const subscription = isPaired(browserId) ? subscriptionOf(home, browserId) : null;
    if (subscription === null) return null;
    woken.set(browserId, performance.now());
    const payload = randomBytes(16).toString('base64url');
    const vapid = vapidKeys(home);
    const { signal } = ending;
    const outcome = await send({ subscription, vapid, payload, ttl: TTL, signal });
    if (signal.aborted) return outcome;
    // Turned on anew or off meanwhile: the answer is about a subscription that is no more.
    const isStill = subscriptionOf(home, browserId)?.endpoint === subscription.endpoint;
    if (outcome === 'gone') {
      if (isStill) drop(browserId, 'gone');
    } else if (outcome === 'sent') note(browserId, 'push.sent');
    else note(browserId, 'push.failed', { detail: outcome.failed });
    return outcome;
  }

  /** `null`: it is off. */
  function companyFor(browserId: string): PushCompany | null {
    const subscription = subscriptionOf(home, browserId);
    return subscription === null ? null : companyOf(subscription.endpoint);
  }

  function isDue(browserId: string): boolean {
    return performance.now() - (woken.get(browserId) ?? -Infinity) >= PAUSE;
  }

  function remember(ref: string): boolean {
    if (refs.has(ref)) return false;
    refs.add(ref);
    const [oldest] = refs;
    if (refs.size > REMEMBERED && oldest !== undefined) refs.delete(oldest);
    return true;
  }

  return {
    /** For `applicationServerKey`; `null` when the keys on disk cannot be used. */
    publicKey(): string | null {
      try {
        return vapidKeys(home).publicKey;
      } catch {
        return null;
      }
    },
    /** @throws {WrongUsage} with a sentence for the person. */
    turnOn(browserId: string, wanted: PagePushSubscription): void {
      if (!isPaired(browserId)) throw new WrongUsage('this browser is not paired any more');
      const subscription = readSubscription(wanted);
      if (subscription === null) {
        throw new WrongUsage('this browser’s push service is none that signer sends to');
      }
      keepSubscription(home, browserId, subscription);
      note(browserId, 'push.turnedOn');
    },
    turnOff(browserId: string): void {
      if (subscribedBrowsers(home).includes(browserId)) drop(browserId, 'person');
    },
    isOn: (browserId: string): boolean => subscriptionOf(home, browserId) !== null,
    companyFor,
    dropUnpaired,
    /** Once for each request, to every browser that has it on. Never rejects. */
    async wake(ref: string): Promise<void> {
      if (!remember(ref)) return;
      try {
        dropUnpaired();
        const due = subscribedBrowsers(home).filter((id) => isDue(id));
        await Promise.allSettled(due.map(sendTo));
      } catch {
        // A state directory or log that cannot be used: the signer's next append says so.
      }
    },
    /** Rejects with `WrongUsage`, and a sentence for the person, unless the push service took it. */
    async test(browserId: string): Promise<'sent'> {
      const company = companyFor(browserId);
      const outcome = await sendTo(browserId);
      if (company === null || outcome === null) throw new WrongUsage('waking is off there');
      if (outcome !== 'sent') throw new WrongUsage(failureSentence(company, outcome));
      return outcome;
    },
    /** Gives up what is on its way. */
    close: () => ending.abort(),
  };
}

/** How it is when a message could not be handed to the push service. */
function failureSentence(company: PushCompany, outcome: Exclude<PushOutcome, 'sent'>): string {
  if (outcome === 'gone') {
    return `${company} no longer knows this browser, so it is off now; turn it on again in the page`;
  }
  const detail = outcome.failed;
  const [, status] = /^HTTP (\d{3})/.exec(detail) ?? [];
  if (status === undefined) return `${company} was not reached (${detail})`;
  if (status === '429') return `${company} wants fewer messages for a while (${detail})`;
  if (status.startsWith('5')) return `${company} could not take it just now (${detail})`;
  return `${company} refused it (${detail}); turn it off and on again in the page`;
}
