/** What of an event log Stately's inspector is shown: one flow with what it needs, and what comes. */
import type { Envelope } from '../../../adapters/event-log/envelope.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { prefixOf } from '../event-row.ts';
import { processOf } from '../flow-title.ts';

/** Events of the past that are told one by one; older ones only move the machines. */
const HISTORY = 500;
/** Machine runs before and after the chosen one in which its process is looked for. */
const NEIGHBOURS = 20;

export interface Listener {
  take(envelope: Envelope): void;
  takeSilently(envelope: Envelope): void;
}

/** What is read of the log from now on. */
export interface FollowedLog {
  /** Gives the listener what was recorded since. */
  catchUp(): void;
}

/**
 * Gives the listener the streams of `flow` (a stream, or a request's flow; null: the newest) and of
 * the process that it belongs to (its link, and the runs around it), then, with each `catchUp`, every event that is new, of any stream.
 *
 * Throws the log's errors.
 */
export function followLog(
  log: EventLog,
  isShown: (machine: string) => boolean,
  flow: string | null,
  { take, takeSilently }: Listener,
): FollowedLog {
  let head = log.head();
  const chosen = chosenStreams(log, isShown, flow);
  /** The version up to which each stream was given. */
  const given = new Map<string, number>();

  const past = [...chosen]
    .flatMap((stream) => [...log.read(stream)])
    .filter(({ seq }) => seq <= head)
    .toSorted((one, other) => one.seq - other.seq);
  for (const [i, envelope] of past.entries()) {
    given.set(envelope.stream, envelope.version);
    if (i < past.length - HISTORY) takeSilently(envelope);
    else take(envelope);
  }

  /** A stream that began before it was of interest: what it was until now. */
  function bringUp({ stream, version }: Envelope): void {
    const from = given.get(stream) ?? 0;
    for (const missed of from + 1 < version ? log.read(stream) : []) {
      if (missed.version > from && missed.version < version) takeSilently(missed);
    }
  }

  return {
    catchUp() {
      if (!log.changedSince(head)) return;
      for (const envelope of log.readAll(head)) {
        head = envelope.seq;
        if (!isShown(prefixOf(envelope.stream))) continue;
        bringUp(envelope);
        given.set(envelope.stream, envelope.version);
        take(envelope);
      }
    },
  };
}

function chosenStreams(
  log: EventLog,
  isShown: (machine: string) => boolean,
  flow: string | null,
): ReadonlySet<string> {
  const all = log.streams();
  const shown = all.filter((stream) => isShown(prefixOf(stream)));
  const wanted = flow?.split('/').slice(0, 2).join('/');
  const chosen =
    wanted === undefined
      ? (shown.findLast((stream) => !isLink(stream)) ?? shown.at(-1))
      : shown.find((stream) => stream === wanted);
  if (chosen === undefined) return new Set();
  const process = processIn(log, chosen);
  if (process === null) return new Set([chosen]);
  // A process records its own beginning before any of its machines.
  const later = all.slice(Math.max(0, all.indexOf(`process/${process}`)));
  const others = later.filter((stream) => isShown(prefixOf(stream)) && !isLink(stream));
  const place = others.indexOf(chosen);
  const near = others.slice(Math.max(0, place - NEIGHBOURS), place + NEIGHBOURS + 1);
  const candidates = [...later.filter(isLink), ...near];
  return new Set(candidates.filter((stream) => processIn(log, stream) === process));
}

const isLink = (stream: string) => prefixOf(stream) === 'link';

function processIn(log: EventLog, stream: string): string | null {
  const first = log.read(stream).next().value as Envelope | undefined;
  return first === undefined ? null : processOf(first);
}
