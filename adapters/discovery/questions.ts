import type { OutgoingRecord, MulticastSocket } from './multicast.ts';
import type { RecordCache } from './cache.ts';
import type { DnsQuestion } from './message.ts';
import { isSendable, localName } from './names.ts';

/** RFC 6762 §5.2, in milliseconds: at least a second, then doubled, up to an hour. */
const firstInterval = 1000;
const maxInterval = 3_600_000;
/** Keep a query within one Ethernet frame; what is left out is merely answered again. */
const maxQuestions = 12;
const maxKnownAnswers = 12;

/** Which questions are open on one interface, and when each is to be asked again. */
export interface QuestionSchedule {
  /** Sends the questions that are due, in one query. */
  ask(now: number): void;
  /** When a question is next due. */
  nextDue(): number;
}

/**
 * Asks for a service type for ever, and for each record that is missing until it is there.
 *
 * @param firstAt when to ask first, on the clock that `ask` is given
 */
export function createQuestionSchedule(
  serviceType: string,
  socket: MulticastSocket,
  cache: RecordCache,
  firstAt: number,
): QuestionSchedule {
  const browsing: DnsQuestion = { name: localName(serviceType), type: 'PTR' };
  const open = new Map([
    [keyOf(browsing), { question: browsing, dueAt: firstAt, interval: firstInterval }],
  ]);

  function follow(now: number): void {
    const missing = new Map(
      cache
        .missing()
        .filter(({ name }) => isSendable(name))
        .map((question) => [keyOf(question), question]),
    );
    for (const key of open.keys())
      if (key !== keyOf(browsing) && !missing.has(key)) open.delete(key);
    for (const [key, question] of missing)
      if (!open.has(key)) open.set(key, { question, dueAt: now, interval: firstInterval });
  }

  return {
    ask(now) {
      follow(now);
      const asked = new Map<string, DnsQuestion>();
      for (const question of cache.refreshes(now))
        if (isSendable(question.name)) asked.set(keyOf(question), question);
      for (const [key, entry] of open) {
        if (entry.dueAt > now) continue;
        asked.set(key, entry.question);
        entry.dueAt = now + entry.interval;
        entry.interval = Math.min(entry.interval * 2, maxInterval);
      }
      if (asked.size === 0) return;
      socket.query({
        questions: [...asked.values()].slice(0, maxQuestions).map(({ name, type }) => ({
          name,
          type: type as 'PTR' | 'SRV' | 'A' | 'AAAA',
        })),
        answers: asked.has(keyOf(browsing)) ? knownAnswers(now) : [],
      });
    },
    nextDue: () => Math.min(...[...open.values()].map(({ dueAt }) => dueAt)),
  };

  function knownAnswers(now: number): OutgoingRecord[] {
    return cache
      .knownAnswers(now)
      .filter(({ target }) => isSendable(target))
      .slice(0, maxKnownAnswers)
      .map(({ target, ttl }) => ({
        name: browsing.name,
        type: 'PTR',
        class: 'IN',
        ttl,
        data: target,
      }));
  }
}

function keyOf({ name, type }: DnsQuestion): string {
  return `${type} ${name}`;
}
