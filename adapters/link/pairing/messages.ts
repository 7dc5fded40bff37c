/** The messages of pairing, protocol version 1, over TLS between two devices that do not know each other. */
import { z } from 'zod';
import { liveness, protocols } from '../messages.ts';
import { NONCE_LENGTH } from './exchange.ts';

/** The protocol versions that this program speaks. */
export const PAIRING_PROTOCOLS: readonly number[] = [1];

/** UTF-16 units. */
const MAX_NAME = 64;

const bytes = z
  .string()
  .length(Buffer.alloc(NONCE_LENGTH).toString('base64').length)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text)
  .refine((text) => Buffer.from(text, 'base64').length === NONCE_LENGTH);

const hello = z.strictObject({
  t: z.literal('hello'),
  protocols,
  /** What the device calls itself. */
  name: z
    .string()
    .min(1)
    .max(MAX_NAME)
    .refine((text) => text.isWellFormed()),
});
const commitment = z.strictObject({ t: z.literal('commitment'), commitment: bytes });
const nonce = z.strictObject({ t: z.literal('nonce'), nonce: bytes });
const bare = <Name extends string>(name: Name) => z.strictObject({ t: z.literal(name) });

const fromHeadset = z.discriminatedUnion('t', [
  hello,
  nonce,
  bare('confirm'),
  bare('decline'),
  ...liveness,
]);
const fromPhone = z.discriminatedUnion('t', [
  hello,
  commitment,
  nonce,
  bare('matched'),
  bare('differed'),
  bare('stored'),
  ...liveness,
]);

export type HeadsetPairingMessage = z.infer<typeof fromHeadset>;
export type PhonePairingMessage = z.infer<typeof fromPhone>;

/** A headset's message, or null: anything that a headset may not send. */
export function readHeadsetPairingMessage(json: unknown): HeadsetPairingMessage | null {
  return fromHeadset.safeParse(json).data ?? null;
}

/** A phone's message, or null: anything that a phone may not send. */
export function readPhonePairingMessage(json: unknown): PhonePairingMessage | null {
  return fromPhone.safeParse(json).data ?? null;
}

/** A device name as it can be said: cut to its limit, never empty. */
export function sayableName(name: string): string {
  return name.slice(0, MAX_NAME).toWellFormed() || 'unnamed';
}
