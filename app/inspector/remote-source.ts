/** The phone's side as its own inspector tells it, in this device's time. */
import { clockOffset } from './clock-offset.ts';
import type { DeviceSource } from './device-source.ts';
import { listenersOf } from './listeners.ts';
import type { DrawnChart, Flow, FlowSummary, MachineView, Place } from './protocol.ts';
import { Refusal } from './refusal.ts';
import { away, type RemoteInspector } from './remote-inspector.ts';
import {
  clockAnswer,
  flowAnswer,
  flowsAnswer,
  requestAnswer,
  triedAnswer,
  viewsAnswer,
  whatIfAnswer,
} from './remote-schemas.ts';

/** Places in one question, as its server takes them. */
const MOST_PLACES = 32;
/** Until it is asked again whether it is back. Milliseconds. */
const RETRY = 1_000;

const gone = 'The phone’s inspector went away: its side is not shown.';

/** Measures the clocks. `charts`: drawn here, since what another program draws is foreign. */
export async function createRemoteSource(
  remote: RemoteInspector,
  charts: () => Promise<DrawnChart[]>,
): Promise<DeviceSource> {
  let isAway = false;
  let retryAt = 0;
  let offset = await measure();

  function measure(): Promise<number> {
    return clockOffset(async () => (await remote.ask('/api/clock', clockAnswer)).now);
  }

  /** Notes whether it is there, and measures again when it is back. */
  async function asking<T>(question: () => Promise<T>): Promise<T> {
    if (isAway && performance.now() < retryAt) throw away();
    try {
      if (isAway) offset = await measure();
      const answer = await question();
      isAway = false;
      return answer;
    } catch (error) {
      if (error instanceof Refusal && (error.status === 502 || error.status === 403)) {
        isAway = true;
        retryAt = performance.now() + RETRY;
      }
      throw error;
    }
  }

  /** Until the result is called, and again when it was away. */
  function listen(tell: () => void): () => void {
    let retry: NodeJS.Timeout | undefined;
    let isOver = false;
    let end: (() => void) | null = null;
    const begin = () => {
      end = remote.listen(tell, () => {
        if (isOver) return;
        clearTimeout(retry);
        retry = setTimeout(begin, RETRY).unref();
        // Whether it went away is found out by the question that this leads to.
        tell();
      });
    };
    begin();
    return () => {
      isOver = true;
      clearTimeout(retry);
      end?.();
    };
  }

  const ours = (flow: FlowSummary) => ({ ...flow, startedAt: flow.startedAt + offset });
  const ourFlow = (flow: Flow): Flow => ({
    ...flow,
    summary: ours(flow.summary),
    rows: flow.rows.map((row) => ({ ...row, at: row.at + offset })),
  });
  const ourView = (view: MachineView): MachineView => ({
    ...view,
    clocks: view.clocks.map((clock) => ({
      ...clock,
      since: clock.since === null ? null : clock.since + offset,
    })),
  });
  return {
    shows: 'phone',
    charts,
    notices: () => (isAway ? [gone] : []),
    flows: (before = 8.64e15) =>
      asking(async () => {
        const theirs = Math.min(8.64e15, Math.max(0, before - offset));
        return (await remote.ask(`/api/flows?before=${theirs}`, flowsAnswer)).map(ours);
      }),
    flow: (id) =>
      asking(async () =>
        ourFlow(await remote.ask(`/api/flow?id=${encodeURIComponent(id)}`, flowAnswer)),
      ),
    flowOfRequest: (requestId) =>
      asking(async () => {
        const path = `/api/request?id=${encodeURIComponent(requestId)}`;
        const flow = await remote.ask(path, requestAnswer);
        return flow === null ? null : ourFlow(flow);
      }),
    views: (places) =>
      asking(async () => {
        const views: MachineView[] = [];
        for (let from = 0; from < places.length; from += MOST_PLACES) {
          const some = places.slice(from, from + MOST_PLACES);
          views.push(...(await remote.ask(`/api/views?${some.map(at).join('&')}`, viewsAnswer)));
        }
        return views.map(ourView);
      }),
    whatIf: (place) => asking(() => remote.ask(`/api/what-if?${at(place)}`, whatIfAnswer)),
    tryEvents: ({ device, stream, version }, events) =>
      asking(async () => {
        const body = { at: { device, stream, version }, events };
        const { view, next } = await remote.ask('/api/what-if', triedAnswer, body);
        return { view: ourView(view), next };
      }),
    onChange: listenersOf(listen),
  };
}

const at = ({ device, stream, version }: Place) =>
  `at=${encodeURIComponent(`${device}:${stream}@${version}`)}`;
