import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { lanesOf } from './lanes.ts';
import type { Device, EventRow } from './protocol.ts';
import { fieldsOf } from './shown.ts';

/** The part of a stream's name that says which machine's it is. */
export const prefixOf = (stream: string) => stream.split('/')[0] ?? '';

/** A recorded event as a row. Nothing is folded for it. */
export function rowOf(device: Device, { stream, version, type, at, data }: Envelope): EventRow {
  return {
    device,
    stream,
    version,
    machine: prefixOf(stream),
    at,
    type: showForeign(type, 120),
    ...lanesOf(device, type),
    fields: fieldsOf(type, data),
  };
}
