/** What the page asks, as `protocol.ts` lists it. */
import { z } from 'zod';
import { version } from '../version.ts';
import type { DeviceSource } from './device-source.ts';
import type { DrivingPort } from './driving-port.ts';
import { exportedPage } from './exported-page.ts';
import type { Opening, Place } from './protocol.ts';
import { Refusal } from './refusal.ts';

export interface Inspected {
  source: DeviceSource;
  /** Null where nothing can be driven. */
  driving: DrivingPort | null;
  /** The wall clock that the log's times are of; only tests have another one. */
  now?: () => number;
}

/** The answer to a question: JSON, or the file that is to be saved. */
export type Answer = { json: unknown } | { file: string; name: string };

type Question = (inspected: Inspected, query: URLSearchParams) => Promise<Answer>;

const id = z.string().min(1).max(256);
/** Streams and versions are what the log makes them; a place that is not there is found missing. */
const place = z.strictObject({
  device: z.enum(['headset', 'phone']),
  stream: id,
  version: z
    .int()
    .min(0)
    .max(2 ** 40),
});
const places = z.array(place).min(1).max(32);
const moment = z.coerce.number().min(0).max(8.64e15);

export const tryBody = z.strictObject({
  at: place,
  events: z
    .array(z.looseObject({ type: z.string().min(1).max(256) }))
    .min(1)
    .max(64),
});

export const driveBody = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('connect'), host: z.string().min(1).max(256) }),
  z.strictObject({ do: z.literal('reconnect') }),
  z.strictObject({ do: z.literal('cancel') }),
]);

export const questions: Record<string, Question> = {
  '/api/opening': async ({ source, driving }) => {
    const opening: Opening = {
      shows: source.shows,
      version: version(),
      charts: await source.charts(),
      flows: await source.flows(),
      driving: driving?.state() ?? null,
      notices: source.notices(),
    };
    return { json: opening };
  },
  '/api/flow': async ({ source }, query) => ({ json: await source.flow(one(query, 'id', id)) }),
  '/api/flows': async ({ source }, query) => ({
    json: await source.flows(one(query, 'before', moment)),
  }),
  '/api/request': async ({ source }, query) => ({
    json: await source.flowOfRequest(one(query, 'id', id)),
  }),
  '/api/views': async ({ source }, query) => ({ json: await source.views(placesIn(query)) }),
  '/api/what-if': async ({ source }, query) => ({
    json: await source.whatIf(onlyPlace(placesIn(query))),
  }),
  '/api/export': async ({ source }, query) => ({
    file: await exportedPage(source, one(query, 'flow', id)),
    name: 'flow.html',
  }),
  '/api/clock': async ({ now = Date.now }) => ({ json: { now: now() } }),
};

function one<T>(query: URLSearchParams, name: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(query.get(name));
  if (!parsed.success) throw new Refusal(400, `"${name}" is missing or not usable`);
  return parsed.data;
}

function placesIn(query: URLSearchParams): Place[] {
  const given = query.getAll('at').map((text) => {
    const [, device, stream, version] = /^(\w+):(.+)@(\d+)$/.exec(text) ?? [];
    return { device, stream, version: Number(version) };
  });
  const parsed = places.safeParse(given);
  if (!parsed.success) throw new Refusal(400, '"at" is DEVICE:STREAM@VERSION, once to 32 times');
  return parsed.data;
}

function onlyPlace([first, ...more]: Place[]): Place {
  if (first === undefined || more.length > 0) throw new Refusal(400, 'one "at" is asked for');
  return first;
}
