/** What changes while a page is open, as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { Inspected } from './api.ts';
import type { EventRow, FlowSummary, LiveMessage } from './protocol.ts';

/** Keeps idle connections of proxies and browsers alive. Milliseconds. */
const HEARTBEAT = 15_000;

/**
 * Tells `response` what changes, until it is closed: flows, and the rows of `flow` when it is not
 * null. It begins with what there is, so that nothing is missed between two answers.
 */
export function streamLive(
  { source, driving }: Inspected,
  flow: string | null,
  response: ServerResponse,
): void {
  const sent = new Set<string>();
  let flows = new Map<string, string>();
  let notices = JSON.stringify(source.notices());
  let isLooking = false;
  let isStale = false;

  const send = (message: LiveMessage) => response.write(`data: ${JSON.stringify(message)}\n\n`);

  async function look(): Promise<void> {
    try {
      await tellFlows(await source.flows());
      if (flow !== null) await tellRows(flow);
    } finally {
      // Why something is missing is told even so.
      const now = source.notices();
      if (JSON.stringify(now) !== notices) send({ type: 'notices', notices: now });
      notices = JSON.stringify(now);
    }
  }

  async function tellFlows(all: FlowSummary[]): Promise<void> {
    const now = new Map(all.map((one) => [one.id, JSON.stringify(one)]));
    const changed = all.filter(({ id }) => flows.get(id) !== now.get(id));
    flows = now;
    if (changed.length > 0) send({ type: 'flows', flows: changed });
  }

  async function tellRows(id: string): Promise<void> {
    const { rows, summary } = await source.flow(id);
    const more = rows.filter((row) => !sent.has(placeOf(row)));
    for (const row of more) sent.add(placeOf(row));
    if (more.length > 0) send({ type: 'rows', flow: id, rows: more, summary });
  }

  /** One look at a time; what happens meanwhile leads to another one. */
  async function lookAgain(): Promise<void> {
    isStale = true;
    if (isLooking) return;
    isLooking = true;
    while (isStale && !response.closed) {
      isStale = false;
      // A log that cannot be read now, a phone that went away: the next look may find it.
      await look().catch(() => {});
    }
    isLooking = false;
  }

  const stops = [
    source.onChange(() => void lookAgain()),
    driving?.onChange(() => send({ type: 'driving', driving: driving.state() })) ?? (() => {}),
  ];
  const beat = setInterval(() => response.write(':\n\n'), HEARTBEAT).unref();
  response.on('close', () => {
    clearInterval(beat);
    for (const stop of stops) stop();
  });
  response.write('retry: 1000\n\n');
  void lookAgain();
}

const placeOf = ({ device, stream, version }: EventRow) => `${device}:${stream}@${version}`;
