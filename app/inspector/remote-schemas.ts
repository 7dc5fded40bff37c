/** What another inspector answers, taken strictly. Its texts are foreign here. */
import { z } from 'zod';
import { showForeign } from '../terminal/foreign-text.ts';
import type { Flow, FlowSummary, MachineView, Tried, WhatIf } from './protocol.ts';
import { shown } from './shown.ts';

const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** What it has escaped already stays; what it has not is escaped here. */
const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .transform((given) => (hidden.test(given) ? showForeign(given, longest) : given));

const word = text(512);
const moment = z.number().min(0).max(8.64e15);
const lane = z.enum(['person', 'phone', 'headset', 'server']);
const stream = z.string().regex(/^(signer|phone-pairing)\/[\w./-]{1,240}$/);
const version = z.int().min(0);
const place = { device: z.literal('phone'), stream, version };
const json = z.unknown().transform((value) => shown(value));

const summary = z.strictObject({
  id: stream,
  device: z.literal('phone'),
  title: word,
  outcome: word.nullable(),
  startedAt: moment,
  events: z.int().min(0),
  live: z.boolean(),
});

const row = z.strictObject({
  ...place,
  machine: word,
  at: moment,
  type: word,
  from: lane,
  to: lane,
  fields: z.array(z.tuple([word, word])).max(64),
});

export const flowsAnswer: z.ZodType<FlowSummary[]> = z.array(summary).max(200);

export const flowAnswer: z.ZodType<Flow> = z.strictObject({
  summary,
  rows: z.array(row),
  before: z.array(z.strictObject(place)).max(64),
});

export const requestAnswer = flowAnswer.nullable();

export const viewAnswer: z.ZodType<MachineView> = z.strictObject({
  ...place,
  machine: word,
  status: word,
  value: json,
  context: json,
  active: z.array(word).max(256),
  taken: z.array(word).max(256),
  ignored: z.boolean(),
  clocks: z
    .array(
      z.strictObject({
        state: word,
        delay: word,
        since: moment.nullable(),
        milliseconds: z.number().min(0),
      }),
    )
    .max(64),
});

export const viewsAnswer = z.array(viewAnswer).max(32);

export const whatIfAnswer: z.ZodType<WhatIf> = z.strictObject({
  accepts: z
    .array(
      z.strictObject({
        type: word,
        event: z.record(z.string(), z.unknown()).transform((value) => shown(value) as typeof value),
        leadsTo: word,
      }),
    )
    .max(256),
  ignores: z.array(word).max(256),
});

export const triedAnswer: z.ZodType<Tried> = z.strictObject({
  view: viewAnswer,
  next: whatIfAnswer,
});

export const joinAnswer = z.strictObject({
  shows: z.literal('phone'),
  base: z.string().regex(/^\/[\w-]{43}$/),
});

export const clockAnswer = z.strictObject({ now: moment });
