/** Fields that several messages of the link have. */
import { z } from 'zod';

/** Bytes, in their only base64 form: `max` is of characters. */
export const base64 = (max: number) =>
  z
    .string()
    .min(4)
    .max(max)
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text);

/** `max`: UTF-16 units. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed());

export const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);
