/** The flows of a log: which streams, and on the phone which requests, make one. */
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { INTERRUPTED } from '../../adapters/event-log/processes.ts';
import { FINISHED, STOPPED } from '../../adapters/event-log/recorder.ts';
import { prefixOf } from './event-row.ts';
import { flowTitle, processOf, requestTitle } from './flow-title.ts';
import { leavesOf } from './machine-view.ts';
import type { Device, FlowSummary, Place } from './protocol.ts';
import type { RecordedRuns } from './recorded-runs.ts';
import type { Run } from './run.ts';
import { envelopesOf, createRequestReader, type RecordedRequest } from './signer-requests.ts';

export interface FoundFlow {
  summary: FlowSummary;
  /** In the log's order. */
  envelopes: Envelope[];
  before: Place[];
}

interface Indexed {
  /** How many events of the stream are taken into account. */
  events: number;
  flows: FlowSummary[];
  requests: Map<string, RecordedRequest>;
}

export function createFlowIndex(device: Device, runs: RecordedRuns) {
  const indexed = new Map<string, Indexed>();
  const requestsIn = createRequestReader();
  const processes = new Map<string, string | null>();

  function indexOf(stream: string): Indexed | null {
    const run = runs.of(stream);
    const [first] = run?.envelopes ?? [];
    if (run === null || first === undefined) return null;
    const known = indexed.get(stream);
    if (known?.events === run.envelopes.length) return known;
    const requests = prefixOf(stream) === 'signer' ? requestsIn(run) : [];
    const ids = new Map(requests.map((request) => [`${stream}/${request.requestId}`, request]));
    const parts = [...ids].map(([id, request]) => summaryOfRequest(id, run, request));
    const made = {
      events: run.envelopes.length,
      flows: [summaryOf(run, first), ...parts],
      requests: ids,
    };
    indexed.set(stream, made);
    return made;
  }

  function summaryOf(run: Run, first: Envelope): FlowSummary {
    return {
      id: run.stream,
      device,
      title: flowTitle(first),
      outcome: stateOf(run),
      startedAt: first.at,
      events: run.envelopes.length,
      live: !isOver(run),
    };
  }

  function summaryOfRequest(id: string, run: Run, request: RecordedRequest): FlowSummary {
    const envelopes = envelopesOf(run, request);
    return {
      id,
      device,
      title: requestTitle(request.deviceName),
      outcome: request.outcome,
      startedAt: envelopes[0]?.at ?? 0,
      events: envelopes.length,
      live: request.end === null && !isOver(run),
    };
  }

  /** The link's events while a flow of the same process went on. */
  function linksDuring(run: Run): Run[] {
    if (!['connection', 'signing'].includes(prefixOf(run.stream))) return [];
    const process = processOfStream(run.stream);
    if (process === null) return [];
    return runs.names().flatMap((name) => {
      if (prefixOf(name) !== 'link' || processOfStream(name) !== process) return [];
      return runs.of(name) ?? [];
    });
  }

  function processOfStream(stream: string): string | null {
    const known = processes.get(stream);
    if (known !== undefined) return known;
    const first = runs.firstOf(stream);
    const process = first === null ? null : processOf(first);
    processes.set(stream, process);
    return process;
  }

  function wholeStream(run: Run, summary: FlowSummary): FoundFlow {
    const begins = run.envelopes[0]?.seq ?? 0;
    const ends = isOver(run) ? (run.envelopes.at(-1)?.seq ?? 0) : Infinity;
    const links = linksDuring(run).map((link) => ({
      link,
      during: link.envelopes.filter(({ seq }) => seq > begins && seq < ends),
    }));
    const envelopes = [...run.envelopes, ...links.flatMap(({ during }) => during)];
    return {
      summary,
      envelopes: envelopes.toSorted((one, other) => one.seq - other.seq),
      before: [
        { device, stream: run.stream, version: 0 },
        ...links.map(({ link, during }) => ({
          device,
          stream: link.stream,
          version: during[0] === undefined ? lastBefore(link, ends) : during[0].version - 1,
        })),
      ],
    };
  }

  return {
    /** Newest first, at most `most`, begun before `before`. */
    summaries(before: number, most: number): FlowSummary[] {
      const found: FlowSummary[] = [];
      for (const stream of runs.names().toReversed()) {
        const flows = indexOf(stream)?.flows ?? [];
        found.push(...flows.filter(({ startedAt }) => startedAt < before));
        if (found.length >= most) break;
      }
      return found.toSorted((one, other) => other.startedAt - one.startedAt).slice(0, most);
    },
    /** Null when there is none of that id. */
    find(id: string): FoundFlow | null {
      const stream = id.split('/').slice(0, 2).join('/');
      const known = indexOf(stream);
      const run = runs.of(stream);
      const summary = known?.flows.find((flow) => flow.id === id);
      if (known === null || run === null || summary === undefined) return null;
      const request = known.requests.get(id);
      if (request === undefined) return wholeStream(run, summary);
      const before = [{ device, stream, version: request.arrival - 1 }];
      return { summary, envelopes: envelopesOf(run, request), before };
    },
    /** The flow of a request that a headset sent; the latest, should two have one id. */
    idOfRequest(requestId: string): string | null {
      for (const stream of runs.names().toReversed()) {
        if (prefixOf(stream) !== 'signer') continue;
        const id = `${stream}/${requestId}`;
        if (indexOf(stream)?.requests.has(id)) return id;
      }
      return null;
    },
  };
}

const lastBefore = (run: Run, seq: number) =>
  run.envelopes.findLast((envelope) => envelope.seq < seq)?.version ?? 0;

function isOver({ envelopes }: Run): boolean {
  const last = envelopes.at(-1)?.type ?? '';
  return last === FINISHED || last === STOPPED || last === INTERRUPTED;
}

/** The names of its innermost states now; null when the recording cannot be followed. */
function stateOf(run: Run): string | null {
  try {
    const frame = run.frameAt(run.envelopes.length);
    return frame === null ? null : leavesOf(frame.snapshot.value).join(', ');
  } catch {
    return null;
  }
}
