/** Recorded runs as the actors, events and snapshots of `@statelyai/inspect`. */
import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { Envelope } from '../../../adapters/event-log/envelope.ts';
import { prefixOf } from '../event-row.ts';
import { lanesOf } from '../lanes.ts';
import type { Device } from '../protocol.ts';
import { createStepper, type Frame, type Stepper } from '../stepping.ts';
import { eventTypesOf } from './event-types.ts';
import { createKeeper, KEPT } from './kept-here.ts';

export interface RecordedActors {
  /** The next event of a stream: its first one, or the one after the last that was given here. */
  take(device: Device, envelope: Envelope): void;
  /** The same for an event that was long ago: it moves the machine, and nothing is said of it. */
  takeSilently(device: Device, envelope: Envelope): void;
  /** Announces the actors of which nothing was said yet, as they are now. */
  announce(): void;
}

interface Actor {
  device: Device;
  name: string;
  machine: AnyStateMachine;
  stepper: Stepper;
  types: ReadonlySet<string>;
  /** Null before its first event, and for good when its recording cannot be followed. */
  frame: Frame | null;
  isLost: boolean;
  isAnnounced: boolean;
  /** Wall clock of its last event. Milliseconds. */
  at: number;
}

type Machines = ReadonlyMap<string, AnyStateMachine>;

/** `machines`: by device, then by the prefix of their streams. Streams of others are left out. */
export function createRecordedActors(
  machines: Readonly<Record<Device, Machines>>,
  send: (message: StatelyInspectionEvent) => void,
): RecordedActors {
  const actors = new Map<string, Actor>();
  const counts = new Map<string, number>();
  const lanes = new Set<string>();
  const keep = createKeeper();
  let stamp: Partial<StatelyInspectionEvent> = {};
  // The package stamps the present and no root; these events have a time and an order of their own.
  const inspector = createInspector({ send }, { serialize: (message) => stamped(message, stamp) });

  function actorOf(device: Device, stream: string): Actor | null {
    const key = `${device} ${stream}`;
    const known = actors.get(key);
    const machine = machines[device].get(prefixOf(stream));
    if (known !== undefined || machine === undefined) return known ?? null;
    const what = `${device} ${prefixOf(stream)}`;
    const count = (counts.get(what) ?? 0) + 1;
    counts.set(what, count);
    const made: Actor = {
      device,
      name: `${what} ${count}`,
      machine,
      stepper: createStepper(machine),
      types: eventTypesOf(machine),
      frame: null,
      isLost: false,
      isAnnounced: false,
      at: 0,
    };
    actors.set(key, made);
    return made;
  }

  /** False when this release's chart cannot follow what was recorded. */
  function step(actor: Actor, envelope: Envelope): boolean {
    actor.at = envelope.at;
    try {
      actor.frame = actor.stepper.after(actor.frame, envelope);
    } catch {
      actor.isLost = true;
    }
    return !actor.isLost;
  }

  function announce(actor: Actor): void {
    const { frame, name, machine, at } = actor;
    if (actor.isAnnounced || frame === null) return;
    actor.isAnnounced = true;
    const definition = JSON.stringify(machine.config);
    stamp = { name, definition, rootId: name, createdAt: String(at), id: `${name} begins` };
    inspector.actor(name, shownSnapshot(frame.snapshot));
  }

  /** A person, a server and another device are no machines here, and events come from them. */
  function sourceOf({ device, name }: Actor, { type, at }: Envelope): string | undefined {
    if (type === 'xstate.init') return undefined;
    const { from } = lanesOf(device, type);
    if (from === device) return name;
    if (!lanes.has(from)) {
      lanes.add(from);
      stamp = { rootId: from, createdAt: String(at), id: `${from} begins` };
      inspector.actor(from, { status: 'active' });
    }
    return from;
  }

  function tell(actor: Actor, envelope: Envelope, snapshot: object): void {
    const { name, types } = actor;
    const source = sourceOf(actor, envelope);
    const type = types.has(envelope.type) ? envelope.type : KEPT;
    const event = { ...(dataShown(envelope) as object), type };
    const base = { rootId: name, createdAt: String(envelope.at) };
    stamp = { ...base, id: `${name} event ${envelope.version}` };
    inspector.event(name, event, source === undefined ? {} : { source });
    stamp = { ...base, id: `${name} snapshot ${envelope.version}` };
    inspector.snapshot(name, snapshot, { event });
  }

  /** The recorder's own notes beside the input, such as the process, say nothing of the machine. */
  function dataShown({ type, data }: Envelope): unknown {
    if (data === null || typeof data !== 'object' || Array.isArray(data)) return {};
    return keep(type === 'xstate.init' ? { input: data['input'] } : withoutType(data));
  }

  function shownSnapshot({ status, value, context, output }: AnyMachineSnapshot) {
    const more = output === undefined ? {} : { output: keep(output) };
    return { status, value, context: keep(context), ...more };
  }

  return {
    take(device, envelope) {
      const actor = actorOf(device, envelope.stream);
      if (actor === null || actor.isLost) return;
      if (actor.frame !== null) announce(actor);
      if (!step(actor, envelope)) {
        if (actor.isAnnounced) tell(actor, envelope, { status: 'error', error: unfollowed });
        return;
      }
      announce(actor);
      if (actor.frame !== null) tell(actor, envelope, shownSnapshot(actor.frame.snapshot));
    },
    takeSilently(device, envelope) {
      const actor = actorOf(device, envelope.stream);
      if (actor !== null && !actor.isLost) step(actor, envelope);
    },
    announce() {
      for (const actor of actors.values()) announce(actor);
    },
  };
}

const unfollowed = 'this release of the chart cannot follow what was recorded';

const withoutType = ({ type: _, ...data }: Record<string, unknown>) => data;

const stamped = (message: StatelyInspectionEvent, stamp: Partial<StatelyInspectionEvent>) =>
  ({ ...message, ...stamp }) as StatelyInspectionEvent;
