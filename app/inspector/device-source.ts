/** What the inspector knows of one device, or of two that are joined. */
import type { AnyEventObject } from 'xstate';
import type {
  Device,
  DrawnChart,
  Flow,
  FlowSummary,
  MachineView,
  Place,
  Tried,
  WhatIf,
} from './protocol.ts';

/** Every method may reject with a `Refusal`, and with the log's errors. */
export interface DeviceSource {
  readonly shows: Device | 'both';
  charts(): Promise<DrawnChart[]>;
  /** Newest first, at most 200, begun before `before` (milliseconds since 1970). */
  flows(before?: number): Promise<FlowSummary[]>;
  /** `Refusal` 404 when there is none of that id. */
  flow(id: string): Promise<Flow>;
  /** The phone's flow of a request that a headset sent; null when it has none. */
  flowOfRequest(requestId: string): Promise<Flow | null>;
  /** In the order asked. */
  views(places: Place[]): Promise<MachineView[]>;
  whatIf(place: Place): Promise<WhatIf>;
  /** Where a copy would be after these events, and what could come next; nothing else happens. */
  tryEvents(place: Place, events: AnyEventObject[]): Promise<Tried>;
  /** Calls `listener` after something was recorded. Watches only while somebody listens. */
  onChange(listener: () => void): () => void;
  /** Sentences for the person, such as that a phone went away. */
  notices(): string[];
}

/** How many flows one answer lists. */
export const MOST_FLOWS = 200;
