import type { DnsMessage } from './message.ts';
import { isSendable } from './names.ts';
import type { MulticastSocket, OutgoingRecord, Source } from './multicast.ts';
import {
  announcementOf,
  answersTo,
  goodbyeOf,
  isConflict,
  losesTieBreak,
  recordsOf,
  type PublishedService,
  type ServiceRecords,
} from './records.ts';

/** RFC 6762 §8.1, §8.2, §8.3; milliseconds. */
const probeCount = 3;
const probeInterval = 250;
const yieldFor = 1000;
const announceInterval = 1000;

/** RFC 6762 §6: delay of shared answers, and how soon a record may be multicast again. */
const sharedDelayFrom = 20;
const sharedDelayOver = 100;
const minRepeat = 1000;
const minRepeatForProbe = 250;

/** RFC 6762 §6.7, in seconds. */
const legacyTtl = 10;
const legacyTypes = ['PTR', 'SRV', 'TXT', 'A', 'AAAA', 'ANY'];

/** How long to wait after the kernel refused to send. */
const resendAfter = 2000;

/** A service on one interface. */
export interface Responder {
  received(message: DnsMessage, source: Source): void;
  /** Stops without a word: the name is another's now, or the interface is gone. */
  stop(): void;
  /** Stops, and says goodbye if the service was announced. `done` when that has been sent. */
  sayGoodbye(done: () => void): void;
}

export interface ResponderEvents {
  /** Probed and announced: others can find it here. */
  announced(): void;
  /** Someone else has the name. The responder has stopped. */
  conflict(): void;
  /** The kernel refuses to send here, e.g. `send EPERM 224.0.0.251:5353`; tried again later. */
  unsendable(detail: string): void;
}

/**
 * Probes, announces, defends and answers for one service on one interface (RFC 6762 §6, §8, §9).
 *
 * @param delay milliseconds before the first probe
 * @param ownAddresses addresses of every interface of this host
 */
export function respond(
  socket: MulticastSocket,
  published: PublishedService,
  delay: number,
  ownAddresses: () => Set<string>,
  events: ResponderEvents,
): Responder {
  let phase: 'probing' | 'announced' | 'stopped' = 'probing';
  const timers = new Set<NodeJS.Timeout>();
  const lastSent = new Map<string, number>();
  const waiting = new Set<string>();

  function records(): ServiceRecords {
    return recordsOf(published, socket.networkInterface);
  }

  function after(wait: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, wait);
    timers.add(timer);
  }

  function halt(next: 'probing' | 'stopped'): void {
    phase = next;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    waiting.clear();
  }

  function refused(error: Error): void {
    if (phase === 'stopped') return;
    halt('probing');
    events.unsendable(error.message);
    after(resendAfter, () => probe(1));
  }

  function probe(count: number): void {
    const { instanceName, hostName, service, addresses } = records();
    socket.query(
      {
        questions: [instanceName, hostName].map((name) => ({ name, type: 'ANY' as 'A' })),
        authorities: [service, ...addresses],
      },
      (error) => error && refused(error),
    );
    after(probeInterval, () => (count < probeCount ? probe(count + 1) : announce(1)));
  }

  function announce(count: number): void {
    phase = 'announced';
    const announcement = announcementOf(records());
    noteSent(announcement);
    socket.respond({ answers: announcement }, (error) => {
      if (error) refused(error);
      else if (count === 1 && phase === 'announced') events.announced();
    });
    if (count === 1) after(announceInterval, () => announce(2));
  }

  function noteSent(sent: OutgoingRecord[]): void {
    for (const record of sent) lastSent.set(keyOf(record), performance.now());
  }

  function sentAt(record: OutgoingRecord): number {
    return lastSent.get(keyOf(record)) ?? -Infinity;
  }

  function answer(query: DnsMessage, source: Source): void {
    const reply = answersTo(query, records());
    if (reply === null) return;
    if (source.port !== socket.port) {
      answerLegacy(query, source, reply);
      return;
    }
    const key = reply.answers.map(keyOf).join();
    if (waiting.has(key)) return;
    waiting.add(key);
    const shared = reply.answers.some(({ type }) => type === 'PTR');
    const jitter = shared ? sharedDelayFrom + Math.random() * sharedDelayOver : 0;
    const repeat = query.authorities.length > 0 ? minRepeatForProbe : minRepeat;
    const allowedAt = Math.max(...reply.answers.map((record) => sentAt(record) + repeat));
    after(Math.max(jitter, allowedAt - performance.now()), () => {
      waiting.delete(key);
      const answers = reply.answers.filter(
        (record) => sentAt(record) + repeat <= performance.now() + 1,
      );
      if (answers.length === 0) return;
      noteSent(answers);
      socket.respond({ answers, additionals: reply.additionals });
    });
  }

  function answerLegacy(
    query: DnsMessage,
    source: Source,
    reply: { answers: OutgoingRecord[]; additionals: OutgoingRecord[] },
  ): void {
    socket.respondTo(source, {
      id: query.id,
      questions: query.questions
        .filter(({ name, type }) => isSendable(name) && legacyTypes.includes(type))
        .map(({ name, type }) => ({ name, type: type as 'A' })),
      answers: reply.answers.map(asPlainDns),
      additionals: reply.additionals.map(asPlainDns),
    });
  }

  after(delay, () => probe(1));

  return {
    received(message, source) {
      if (phase === 'stopped') return;
      if (message.kind === 'query') {
        if (phase === 'announced') answer(message, source);
        else if (losesTieBreak(message, records(), published)) {
          halt('probing');
          after(yieldFor, () => probe(1));
        }
      } else if (
        source.port === socket.port &&
        isConflict(message, records(), published, ownAddresses())
      ) {
        // A name that was ours goes back to probing: its other owner, if alive, defends it (§9).
        const wasAnnounced = phase === 'announced';
        halt(wasAnnounced ? 'probing' : 'stopped');
        if (wasAnnounced) after(0, () => probe(1));
        else events.conflict();
      }
    },
    stop: () => halt('stopped'),
    sayGoodbye(done) {
      const wasAnnounced = phase === 'announced';
      halt('stopped');
      if (wasAnnounced) socket.respond({ answers: goodbyeOf(records()) }, done);
      else done();
    },
  };
}

/** Without what only multicast DNS speakers understand (RFC 6762 §6.7). */
function asPlainDns(record: OutgoingRecord): OutgoingRecord {
  return record.type === 'OPT' ? record : { ...record, ttl: legacyTtl, flush: false };
}

function keyOf(record: OutgoingRecord): string {
  return `${record.type} ${record.name} ${record.type === 'A' || record.type === 'AAAA' ? record.data : ''}`;
}
