/** A headset's and a phone's inspector as one: their flows side by side, a request's events joined. */
import { MOST_FLOWS, type DeviceSource } from './device-source.ts';
import { mergedRows } from './merged-rows.ts';
import type { EventRow, Flow, MachineView, Place } from './protocol.ts';
import { Refusal } from './refusal.ts';

/**
 * `phone` may be away: then the headset's side goes on alone, and the phone's `notices` say so. Its
 * times are the headset's.
 */
export function joinSources(headset: DeviceSource, phone: DeviceSource): DeviceSource {
  const sources = { headset, phone };

  async function withRequests(flow: Flow): Promise<Flow> {
    const ids = requestIdsIn(flow.rows);
    const found = await Promise.all(ids.map((id) => phone.flowOfRequest(id).catch(() => null)));
    const parts = found.filter((part) => part !== null);
    let { rows } = flow;
    found.forEach((part, index) => {
      if (part !== null) rows = mergedRows(rows, part.rows, ids[index] ?? '');
    });
    return {
      rows,
      before: withoutRepeats([...flow.before, ...parts.flatMap(({ before }) => before)]),
      summary: {
        ...flow.summary,
        live: flow.summary.live || parts.some(({ summary }) => summary.live),
      },
    };
  }

  return {
    shows: 'both',
    async charts() {
      return [...(await headset.charts()), ...(await phone.charts())];
    },
    async flows(before) {
      const both = await Promise.all([headset.flows(before), phone.flows(before).catch(() => [])]);
      return both
        .flat()
        .toSorted((one, other) => other.startedAt - one.startedAt)
        .slice(0, MOST_FLOWS);
    },
    async flow(id) {
      return isOnPhone(id) ? phone.flow(id) : withRequests(await headset.flow(id));
    },
    flowOfRequest: (requestId) => phone.flowOfRequest(requestId),
    async views(places) {
      const views = new Map<Place, MachineView>();
      for (const device of ['headset', 'phone'] as const) {
        const own = places.filter((place) => place.device === device);
        if (own.length === 0) continue;
        // The headset's side goes on without the phone's.
        const found = await sources[device].views(own).catch((error: unknown) => {
          if (device === 'phone' && error instanceof Refusal) return [];
          throw error;
        });
        found.forEach((view, index) => {
          const place = own[index];
          if (place !== undefined) views.set(place, view);
        });
      }
      return places.flatMap((place) => views.get(place) ?? []);
    },
    whatIf: (place) => sources[place.device].whatIf(place),
    tryEvents: (place, events) => sources[place.device].tryEvents(place, events),
    onChange(listener) {
      const stops = [headset.onChange(listener), phone.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    notices: () => [...headset.notices(), ...phone.notices()],
  };
}

const isOnPhone = (id: string) => id.startsWith('signer/') || id.startsWith('phone-pairing/');

/** The requests that a flow made, in order. */
function requestIdsIn(rows: EventRow[]): string[] {
  const ids = rows.flatMap(({ type, fields }) =>
    type === 'ssh.identityAccepted' || type === 'xstate.init'
      ? fields.filter(([name]) => name === 'requestId').map(([, value]) => value)
      : [],
  );
  return [...new Set(ids)];
}

/** Of a stream the place that is first in the list: what came before all of the flow. */
function withoutRepeats(places: Place[]): Place[] {
  return places.filter(
    ({ stream }, index) => places.findIndex((other) => other.stream === stream) === index,
  );
}
