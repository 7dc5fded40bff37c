/** What comes from the phone's page, read strictly: anything else is not read at all. */
import { z } from 'zod';
import { TIME_LIMITS } from '../../machines/phone/policy.ts';
import type { PageAction } from './actions.ts';
import {
  PAIRING_ALPHABET,
  PAIRING_LENGTH,
  type Frame,
  type PageMessage,
  type PairRequest,
  type SessionRequest,
} from './protocol.ts';

/**
 * Characters of a passkey's client data that has the longest challenge of the link in it (see
 * `adapters/link/messages.ts`), and of a message with that: both fit a frame.
 */
const MAX_CLIENT_DATA = 61_000;
const MAX_BODY = 63 * 1024;

const base64url = (most: number) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{1,${most}}$`));
/** r and s of 32 bytes each. */
const rawSignature = z.string().regex(/^[A-Za-z0-9_-]{86}$/);
const id = z.string().min(1).max(100);
const ref = z.string().min(1).max(200);
const text = z.string().min(1).max(64);
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);
const counter = z.int().min(1);

const pairRequest = z.strictObject({
  code: z.string().regex(new RegExp(`^[${PAIRING_ALPHABET}]{${PAIRING_LENGTH}}$`)),
  name: text,
  /** 65 bytes. */
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{87}$/),
  signature: rawSignature,
});

const sessionRequest = z.strictObject({
  browserId: id,
  nonce: base64url(64),
  signature: rawSignature,
});

const frame = z.strictObject({
  seq: counter,
  body: z.string().max(MAX_BODY),
  signature: rawSignature,
});

const assertion = z.strictObject({
  credentialId: base64url(1400),
  clientDataJSON: base64url(MAX_CLIENT_DATA),
  authenticatorData: base64url(4000),
  signature: base64url(200),
});

/** What is inside is not looked at: see `SealedByPasskey`. */
export const sealedByPasskey = z.strictObject({
  v: z.literal(1),
  publicKey: base64url(200),
  /** 32 bytes. */
  salt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** 12 bytes. */
  iv: z.string().regex(/^[A-Za-z0-9_-]{16}$/),
  /** 154 bytes, or as many as another browser makes of it. */
  sealed: base64url(600),
});

const policyChanges = z.strictObject({
  requireProof: z.boolean().exactOptional(),
  forwarding: z.enum(['never', 'ask', 'listed']).exactOptional(),
  listed: z.array(z.string().min(1).max(255)).max(100).exactOptional(),
  timeLimit: z.int().min(TIME_LIMITS.shortest).max(TIME_LIMITS.longest).exactOptional(),
});

const made = z.strictObject({
  clientDataJSON: base64url(12_000),
  authenticatorData: base64url(8000),
  transports: z.array(z.string().regex(/^[a-z-]{1,20}$/)).max(10),
  attachment: z.enum(['platform', 'cross-platform']).nullable(),
});

const subscription = z.strictObject({
  endpoint: z.url({ protocol: /^https$/ }).max(2000),
  keys: z.strictObject({ p256dh: base64url(100), auth: base64url(40) }),
});

const action = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('identity.begin'),
    kind: z.enum(['passkey', 'sealed']),
    label: text,
  }),
  z.strictObject({
    do: z.literal('identity.finish'),
    creation: id,
    made,
    sealed: z.strictObject({ sealed: sealedByPasskey, assertion, proof: rawSignature }).nullable(),
  }),
  z.strictObject({ do: z.literal('identity.rename'), fingerprint, label: text }),
  z.strictObject({
    do: z.enum(['identity.enable', 'identity.disable', 'identity.remove']),
    fingerprint,
  }),
  z.strictObject({ do: z.literal('device.rename'), id, name: text }),
  z.strictObject({ do: z.literal('device.remove'), id }),
  z.strictObject({
    do: z.literal('device.mute'),
    id,
    minutes: z
      .int()
      .min(0)
      .max(7 * 24 * 60),
  }),
  z.strictObject({
    do: z.literal('host.remove'),
    name: z.string().max(255),
    port: z.int().min(0).max(65_535),
  }),
  z.strictObject({ do: z.literal('policy.set'), policy: policyChanges }),
  z.strictObject({ do: z.literal('browser.remove'), id }),
  z.strictObject({ do: z.literal('push.on'), subscription }),
  z.strictObject({ do: z.enum(['push.off', 'push.test']) }),
]) satisfies z.ZodType<PageAction>;

const pageMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('page.visibility'),
    document: base64url(64),
    visible: z.boolean(),
  }),
  z.strictObject({ type: z.literal('sheet.shown'), ref }),
  z.strictObject({ type: z.literal('sheet.code'), ref, code: z.string().regex(/^[0-9]{2}$/) }),
  z.strictObject({ type: z.literal('sheet.pin'), ref, pin: z.boolean() }),
  z.strictObject({ type: z.literal('sheet.deny'), ref }),
  z.strictObject({ type: z.literal('sheet.approve'), ref }),
  z.strictObject({
    type: z.literal('sheet.verified'),
    ref,
    assertion,
    signature: base64url(400).nullable(),
  }),
  z.strictObject({
    type: z.literal('sheet.unverified'),
    ref,
    why: z.enum(['notVerified', 'sealedKeyDamaged', 'prfUnavailable']),
  }),
  z.strictObject({ type: z.literal('ask'), id: counter, action }),
]) satisfies z.ZodType<PageMessage>;

/** Each: `null` for a text that is not exactly that. */
export const readPairRequest = (text: string): PairRequest | null => read(pairRequest, text);
export const readSessionRequest = (text: string): SessionRequest | null =>
  read(sessionRequest, text);
export const readFrame = (text: string): Frame | null => read(frame, text);
export const readPageMessage = (body: string): PageMessage | null => read(pageMessage, body);

function read<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
