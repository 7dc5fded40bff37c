/** What a machine would react to at a moment of its record, tried out on a copy. */
import { getNextTransitions, type AnyEventObject } from 'xstate';
import { leavesOf } from './machine-view.ts';
import type { WhatIf } from './protocol.ts';
import type { Run } from './run.ts';
import { fitting } from './sample-fitting.ts';
import { minimalEvent } from './sample-events.ts';
import { shown } from './shown.ts';
import type { Frame, Stepper } from './stepping.ts';

/** Recorded events that are looked through for examples. */
const farthest = 5_000;

/**
 * `run` at `version` is in `frame`. Examples of events come from it, later moments included, then
 * from `others`; a type that was never recorded gets the least that its chart needs.
 */
export function whatIfAt(
  stepper: Stepper,
  frame: Frame,
  version: number,
  run: Run,
  others: Run[],
): WhatIf {
  const { snapshot } = frame;
  const { machine } = stepper;
  const isActive = snapshot.status === 'active';
  const types = isActive ? getNextTransitions(snapshot).map(({ eventType }) => eventType) : [];
  const possible = [...new Set(types)].filter((type) => type !== '');
  const examples = latestOf(new Set(possible), version, run, others);
  const at = lastTime(run, version) + 1;

  const accepts = possible.flatMap((type) => {
    const recorded = examples.get(type);
    const samples = [
      ...(recorded === undefined ? [] : [fitting(recorded, snapshot.context, at)]),
      fitting(minimalEvent(type), snapshot.context, at),
    ];
    for (const event of samples) {
      const leadsTo = outcomeOf(stepper, frame, event);
      if (leadsTo !== null)
        return [{ type, event: shown(event) as Record<string, unknown>, leadsTo }];
    }
    return [];
  });
  const accepted = new Set(accepts.map(({ type }) => type));
  const own = machine.events.filter((type) => !String(type).startsWith('xstate.'));
  const ignores = [...new Set([...own.map(String), ...possible])];
  return { accepts, ignores: ignores.filter((type) => !accepted.has(type)) };
}

/** The state that the event leads to; null when it is ignored, or not of a shape for this chart. */
function outcomeOf(stepper: Stepper, frame: Frame, event: AnyEventObject): string | null {
  try {
    if (!stepper.accepts(frame, event)) return null;
    return leavesOf(stepper.fire(frame, event, 0).snapshot.value).join(', ');
  } catch {
    return null;
  }
}

/** The recorded event of each type that was nearest before `version`, else the last one. */
function latestOf(
  types: ReadonlySet<string>,
  version: number,
  run: Run,
  others: Run[],
): Map<string, AnyEventObject> {
  const found = new Map<string, AnyEventObject>();
  const before = run.envelopes.slice(0, version);
  for (const envelopes of [before, run.envelopes, ...others.map((other) => other.envelopes)]) {
    for (const { type, data } of envelopes.slice(-farthest).toReversed()) {
      if (found.size === types.size) return found;
      if (!types.has(type) || found.has(type)) continue;
      found.set(type, { ...(data as Record<string, unknown>), type });
    }
  }
  return found;
}

/** The process's monotonic clock, as the facts so far tell it. */
function lastTime(run: Run, version: number): number {
  const last = run.envelopes.slice(0, version).findLast(({ data }) => timeIn(data) !== null);
  return timeIn(last?.data) ?? 0;
}

function timeIn(data: unknown): number | null {
  const at = data !== null && typeof data === 'object' && 'at' in data ? data.at : null;
  return typeof at === 'number' ? at : null;
}
