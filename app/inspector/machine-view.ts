/** A frame as the page gets it. */
import type { AnyMachineSnapshot, AnyStateNode, StateValue } from 'xstate';
import { prefixOf } from './event-row.ts';
import type { MachineView, Place, RunningClock } from './protocol.ts';
import { shown } from './shown.ts';
import type { Frame } from './stepping.ts';

/** `frame`: null before the beginning. */
export function viewOf(place: Place, frame: Frame | null): MachineView {
  const { device, stream, version } = place;
  const where = { device, stream, version, machine: prefixOf(stream) };
  if (frame === null) {
    const none = { active: [], taken: [], ignored: false, clocks: [] };
    return { ...where, status: 'notBegun', value: null, context: null, ...none };
  }
  const { snapshot, taken, ignored } = frame;
  const { status, value, context } = snapshot;
  const nodes = activeNodes(snapshot);
  return {
    ...where,
    status,
    value,
    context: shown(context),
    active: nodes.map(({ id }) => id),
    taken,
    ignored,
    clocks: status === 'active' ? nodes.flatMap((node) => clocksOf(node, frame)) : [],
  };
}

/** The names of the innermost active states: `awaitingFaceId`. */
export function leavesOf(value: StateValue): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([name, below]) => {
    const leaves = below === undefined ? [] : leavesOf(below);
    return leaves.length === 0 ? [name] : leaves;
  });
}

/** Parents before their children. */
const activeNodes = ({ _nodes }: AnyMachineSnapshot): AnyStateNode[] =>
  _nodes.toSorted((one, other) => one.order - other.order);

function clocksOf(node: AnyStateNode, { clocks }: Frame): RunningClock[] {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, String(delay)]));
  return [...delays].flatMap(([eventType, delay]) => {
    const clock = clocks.get(eventType);
    return clock === undefined ? [] : [{ state: node.id, delay, ...clock }];
  });
}
