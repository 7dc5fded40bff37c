/** The requests in a recorded run of the phone's machine: when each came and how it ended. */
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { Answer, SignRequest } from '../../machines/phone/ports.ts';
import type { SignerContext } from '../../machines/phone/signer.context.ts';
import { leavesOf } from './machine-view.ts';
import type { Run } from './run.ts';
import type { Frame } from './stepping.ts';

export interface RecordedRequest {
  ref: string;
  /** As the headset calls it. */
  requestId: string;
  deviceName: string;
  /** Version of the event that brought it. */
  arrival: number;
  /** Version of the event that ended it; null while it is open. */
  end: number | null;
  /** `signed`, `denied`, … when it has ended; else the state of its sheet, or `queued`. */
  outcome: string;
  /** Null while it is open, and when it ended without one: with its link, or with the program. */
  answer: Answer | null;
}

/** Calling the result reads on from where the last call ended. Throws as {@link Run.frameAt}. */
function requestsOf(run: Run): () => RecordedRequest[] {
  const requests: RecordedRequest[] = [];
  const open = new Map<string, RecordedRequest>();
  let seen = 0;
  return () => {
    for (const { envelope, frame } of run.framesAfter(seen)) {
      seen = envelope.version;
      const arrived = arrivalIn(envelope);
      if (arrived !== null && !open.has(arrived.ref)) {
        requests.push(arrived);
        open.set(arrived.ref, arrived);
      }
      if (open.size > 0) settle(open, envelope.version, frame);
    }
    return requests;
  };
}

/** The requests in any run, read on where it was left; none when the recording cannot be followed. */
export function createRequestReader(): (run: Run) => RecordedRequest[] {
  const readers = new WeakMap<Run, () => RecordedRequest[]>();
  return (run) => {
    const read = readers.get(run) ?? requestsOf(run);
    readers.set(run, read);
    try {
      return read();
    } catch {
      return [];
    }
  };
}

/** Takes those away that this frame answered, or that are in no queue any more. */
function settle(open: Map<string, RecordedRequest>, version: number, frame: Frame): void {
  const { queue } = frame.snapshot.context as SignerContext;
  const isOver = frame.snapshot.status !== 'active';
  for (const [ref, request] of open) {
    const place = queue.findIndex((queued) => queued.ref === ref);
    if (place >= 0 && !isOver) {
      request.outcome = place === 0 ? (leavesOf(frame.snapshot.value)[0] ?? '') : 'queued';
      continue;
    }
    open.delete(ref);
    request.end = version;
    request.answer = isOver ? null : answerTo(ref, frame);
    request.outcome = isOver ? 'interrupted' : (request.answer?.outcome ?? 'withdrawn');
  }
}

function answerTo(ref: string, { commands }: Frame): Answer | null {
  const told = commands.find(
    ({ event }) => event.type === 'listener.answer' && event['ref'] === ref,
  );
  return (told?.event['answer'] as Answer | undefined) ?? null;
}

function arrivalIn({ type, version, data }: Envelope): RecordedRequest | null {
  if (type !== 'request.received' && type !== 'request.unreadable') return null;
  const { ref, deviceName } = data as unknown as SignRequest;
  const requestId = ref.slice(ref.indexOf('/') + 1);
  return { ref, requestId, deviceName, arrival: version, end: null, outcome: '', answer: null };
}

/** The events from its arrival to its end, without what concerns other requests alone. */
export function envelopesOf(run: Run, { ref, arrival, end }: RecordedRequest): Envelope[] {
  return run.envelopes.slice(arrival - 1, end ?? undefined).filter(({ version, data }) => {
    const named = data !== null && typeof data === 'object' && 'ref' in data ? data['ref'] : ref;
    return named === ref || version === end;
  });
}
