/** One device's inspector, over its event log. It reads only. */
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { watchLog } from '../watch-log.ts';
import { MOST_FLOWS, type DeviceSource } from './device-source.ts';
import { rowOf } from './event-row.ts';
import { createFlowIndex } from './flow-index.ts';
import { listenersOf } from './listeners.ts';
import { viewOf } from './machine-view.ts';
import type { Device, DrawnChart, EventRow, Place, Tried, WhatIf } from './protocol.ts';
import { createRecordedRuns } from './recorded-runs.ts';
import { Refusal } from './refusal.ts';
import type { Run } from './run.ts';
import type { Frame } from './stepping.ts';
import { whatIfAt } from './what-if.ts';

export interface LogSourceParts {
  device: Device;
  log: EventLog;
  /** By stream prefix; a stream of any other is not shown. */
  machines: ReadonlyMap<string, AnyStateMachine>;
  charts: () => Promise<DrawnChart[]>;
}

export function createLogSource({ device, log, machines, charts }: LogSourceParts): DeviceSource {
  const runs = createRecordedRuns(log, machines);
  const index = createFlowIndex(device, runs);
  const rows = new WeakMap<Envelope, EventRow>();

  function frameAt({ device: of, stream, version }: Place) {
    const run = of === device ? runs.of(stream) : null;
    if (run === null || version > run.envelopes.length)
      throw new Refusal(404, 'there is no such event in this log');
    return { run, frame: runs.folding(() => run.frameAt(version)) };
  }

  function row(envelope: Envelope): EventRow {
    const known = rows.get(envelope) ?? rowOf(device, envelope);
    rows.set(envelope, known);
    return known;
  }

  function reactions(run: Run, frame: Frame, version: number): WhatIf {
    const others = runs.recent(run.stream);
    return runs.folding(() => whatIfAt(runs.stepperOf(run), frame, version, run, others));
  }

  return {
    shows: device,
    charts,
    notices: () => [],
    async flows(before = Infinity) {
      runs.catchUp();
      return index.summaries(before, MOST_FLOWS);
    },
    async flow(id) {
      runs.catchUp();
      const found = index.find(id);
      if (found === null) throw new Refusal(404, 'there is no such flow in this log');
      const { summary, envelopes, before } = found;
      return { summary, rows: envelopes.map(row), before };
    },
    async flowOfRequest(requestId) {
      runs.catchUp();
      const id = index.idOfRequest(requestId);
      return id === null ? null : this.flow(id);
    },
    async views(places) {
      runs.catchUp();
      return places.map((place) => viewOf(place, frameAt(place).frame));
    },
    async whatIf(place) {
      runs.catchUp();
      const { run, frame } = frameAt(place);
      return frame === null ? nothing : reactions(run, frame, place.version);
    },
    async tryEvents(place, events): Promise<Tried> {
      runs.catchUp();
      const { run, frame } = frameAt(place);
      if (frame === null) throw new Refusal(400, 'nothing can happen before the beginning');
      const stepper = runs.stepperOf(run);
      const at = run.envelopes[place.version - 1]?.at ?? 0;
      const end = runs.firing(() =>
        events.reduce((now, event) => stepper.fire(now, fireable(event), at), frame),
      );
      return {
        view: viewOf({ ...place, version: place.version + events.length }, end),
        next: reactions(run, end, place.version),
      };
    },
    onChange: listenersOf((tell) => watchLog(log, tell)),
  };
}

const nothing: WhatIf = { accepts: [], ignores: [] };

/** The beginning and the stop of a machine are no events that can happen to it. */
function fireable(event: AnyEventObject): AnyEventObject {
  if (event.type === 'xstate.init' || event.type === 'xstate.stop' || event.type === '*')
    throw new Refusal(400, 'that event cannot happen here');
  return event;
}
