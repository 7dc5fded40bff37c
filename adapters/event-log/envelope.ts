import { hash } from 'node:crypto';
import { LogInconsistent } from './errors.ts';
import { encodeJson, type Json } from './json.ts';

/** One event as it is in the log. */
export interface Envelope {
  /** Place in the whole log, from 1, without gaps. */
  seq: number;
  stream: string;
  /** Place in its stream, from 1, without gaps. */
  version: number;
  id: string;
  type: string;
  /** Version of the schema of `data`. */
  v: number;
  /** Wall clock, milliseconds since 1970. */
  at: number;
  data: Json;
}

/** A row of the table `event`. The columns beside `body` and `leaf` repeat it, for look-ups. */
export interface Row {
  seq: number;
  stream: string;
  version: number;
  id: string;
  type: string;
  body: Uint8Array;
  leaf: Uint8Array;
}

/** The envelope's only serialisation: these bytes are stored once and are what hashes cover. */
export function toRow(envelope: Envelope): Row {
  const { seq, stream, version, id, type, v, at, data } = envelope;
  const body = Buffer.from(encodeJson({ seq, stream, version, id, type, v, at, data }, 'event'));
  return { seq, stream, version, id, type, body, leaf: leafHash(body) };
}

/** Throws {@link LogInconsistent} when the row's bytes are not those that were stored. */
export function fromRow(row: Row): Envelope {
  const where = `event ${row.seq} (${row.stream} version ${row.version})`;
  const bytes = row.body instanceof Uint8Array && row.leaf instanceof Uint8Array;
  if (!bytes || !leafHash(row.body).equals(row.leaf))
    throw new LogInconsistent(`${where} is damaged`);
  const envelope = JSON.parse(Buffer.from(row.body).toString()) as Envelope;
  for (const column of ['seq', 'stream', 'version', 'id', 'type'] as const) {
    if (envelope[column] !== row[column])
      throw new LogInconsistent(`${where} has a wrong ${column}`);
  }
  return envelope;
}

/** MTH({d}) = SHA-256(0x00 || d), RFC 6962 §2.1. */
function leafHash(body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), body]), 'buffer');
}
