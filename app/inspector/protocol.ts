/**
 * What the inspector's server and its page tell each other, as JSON. Nothing of it is secret: it is
 * made from the event log, which holds ids and hashes only. Text from elsewhere (hosts, users,
 * device names) has its control and bidi characters escaped by the server already.
 */
export type Device = 'headset' | 'phone';

/** The vertical lines of the sequence. */
export type Lane = 'person' | 'phone' | 'headset' | 'server';

/** A statechart, drawn. */
export interface DrawnChart {
  /** The machine's stream prefix and file name: `connection`, `link`, `signer`, … */
  machine: string;
  device: Device;
  /**
   * An SVG without `<style>`. States are `<g class="state" data-state="NODE ID">`, transitions
   * `<g class="transition" data-transition="KEY">` (`keyOf` of `app/diagrams/transitions.ts`).
   */
  svg: string;
  /** What the machine is for, in one sentence. */
  description: string;
}

/** A recorded flow in the list: a login, a signature, a request on the phone, a pairing. */
export interface FlowSummary {
  /** A stream (`connection/UUID`), or on the phone `signer/UUID/REQUEST ID` for one request. */
  id: string;
  device: Device;
  /** `log in at bench as root`, `sign for ssh at bench`, `request of my headset`, … */
  title: string;
  /** The state it is in, or ended in: `connected`, `denied`, `awaitingFaceId`; null: not known yet. */
  outcome: string | null;
  /** Wall clock, milliseconds since 1970. */
  startedAt: number;
  events: number;
  /** Whether its stream may still grow. */
  live: boolean;
}

/** Where a machine was: after the event of this version of this stream. Version 0: not begun. */
export interface Place {
  device: Device;
  stream: string;
  version: number;
}

/** One recorded event: one row, one arrow. */
export interface EventRow extends Place {
  /** The stream's prefix: which chart it moves. */
  machine: string;
  /** Wall clock of the device that serves the page, milliseconds since 1970. */
  at: number;
  type: string;
  from: Lane;
  to: Lane;
  /** The event's plain fields, in order, as text. */
  fields: [name: string, value: string][];
}

/** A flow, ready to be stepped through. */
export interface Flow {
  summary: FlowSummary;
  /** Every event of every stream that belongs to it, in order of time. */
  rows: EventRow[];
  /** For each stream, where it was before the first row. */
  before: Place[];
}

/** A clock of the chart that runs in a state. */
export interface RunningClock {
  /** Node id of the state that it belongs to. */
  state: string;
  /** `signerTimeout`. */
  delay: string;
  /** Wall clock when it began; null when that is not recorded. */
  since: number | null;
  milliseconds: number;
}

/** A machine at one place: the fold of its stream so far. */
export interface MachineView extends Place {
  machine: string;
  status: string;
  /** XState's state value. */
  value: unknown;
  context: unknown;
  /** Node ids of the active states, parents included. */
  active: string[];
  /** Keys of the transitions that the last event took. */
  taken: string[];
  /** The last event was of no use in the state it met. */
  ignored: boolean;
  clocks: RunningClock[];
}

/** What could happen at a place. */
export interface WhatIf {
  /** Events that the state reacts to, each with one that can be fired. */
  accepts: { type: string; event: Record<string, unknown>; leadsTo: string }[];
  /** Event types of the machine that it would ignore here. */
  ignores: string[];
}

/** A copy after events that were fired at it. */
export interface Tried {
  view: MachineView;
  /** What the copy would react to next. */
  next: WhatIf;
}

export interface Driving {
  /** Names of the saved hosts. */
  hosts: string[];
  /** The connection that the page began, or null. `stream` is its flow. */
  connection: { host: string; stream: string; can: ('cancel' | 'reconnect')[] } | null;
}

/** The first answer: all that the page needs to draw itself. */
export interface Opening {
  /** Whose log this is; `both` when the phone's inspector is joined, or in the demo. */
  shows: Device | 'both';
  version: string;
  charts: DrawnChart[];
  /** Newest first, at most 200. */
  flows: FlowSummary[];
  /** Null where nothing can be driven: on the phone, in an exported file. */
  driving: Driving | null;
  /** Sentences for the person, such as that the phone's inspector went away. */
  notices: string[];
}

/** Server-sent events of `GET /api/live`, each as `data: JSON`. */
export type LiveMessage =
  /** New or changed flows. */
  | { type: 'flows'; flows: FlowSummary[] }
  /** The flow that is watched (`?flow=ID`) has more rows. */
  | { type: 'rows'; flow: string; rows: EventRow[]; summary: FlowSummary }
  | { type: 'driving'; driving: Driving }
  | { type: 'notices'; notices: string[] };

/** `POST /api/drive`, a JSON body. */
export type DriveCommand = { do: 'connect'; host: string } | { do: 'reconnect' } | { do: 'cancel' };

/** The data of an exported file: one flow, with every frame. */
export interface Exported {
  opening: Opening;
  flow: Flow;
  /** By `stream@version`. */
  views: Record<string, MachineView>;
  /** By `stream@version`. */
  whatIfs: Record<string, WhatIf>;
  exportedAt: number;
}

/*
 * GET  /api/opening                                  → Opening
 * GET  /api/flow?id=ID                               → Flow
 * GET  /api/flows?before=MILLISECONDS                → FlowSummary[], older ones, at most 200
 * GET  /api/views?at=DEVICE:STREAM@VERSION&at=…      → MachineView[], in the order asked
 * GET  /api/what-if?at=DEVICE:STREAM@VERSION         → WhatIf
 * POST /api/what-if {at: Place, events: Event[]}     → Tried
 * GET  /api/live?flow=ID                             → LiveMessage, server-sent
 * POST /api/drive DriveCommand                       → Driving; 409 when it is not possible now
 * GET  /api/export?flow=ID                           → the self-contained HTML file
 *
 * All of it is below a path that nobody can guess, which `/enter?token=` leads to; so are the page,
 * `/`, and its files, `/page.css` and `/NAME.js`. Errors: a status and {"error": "sentence"}.
 */
