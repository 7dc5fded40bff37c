/**
 * The messages of the link, protocol version 2: one strict schema each, and for each side what the
 * other may send. `hello` is the same in every version; it settles which one is spoken.
 */
import { z } from 'zod';
import { AGENT_MAX_SESSION_IDS } from '../wire/session-bind.ts';
import { base64, fingerprint, text } from './fields.ts';
import { identities } from './identities.ts';
import type { SignerFailure, DenialReason } from '../../machines/ports.ts';

/** The protocol versions that this program speaks. */
export const PROTOCOLS: readonly number[] = [2];

/**
 * In base64. A passkey's signature holds the whole challenge, in base64url and then in base64 again:
 * what the longest challenge comes back in must fit a frame.
 */
const MAX_CHALLENGE = 44 * 1024;
const MAX_SIGNATURE = 62 * 1024;

const requestId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const milliseconds = z
  .int()
  .positive()
  .max(24 * 3600 * 1000);

const signerFailures = [
  'identityDisabled',
  'identityUnknown',
  'requestUnreadable',
  'requestMismatch',
  'requestIdReused',
  'phoneBusy',
  'deviceMuted',
  'coolingDown',
  'proofInvalid',
  'proofRequired',
  'destinationChanged',
  'destinationNotAllowed',
  'vouchedRefused',
  'forwardedUnproven',
  'forwardingRefused',
  'hopNotListed',
  'signingFailed',
  'verificationUnavailable',
  'badSignature',
] as const satisfies SignerFailure[];
const denialReasons = ['denied', 'wrongPassphrase', 'wrongCode'] as const satisfies DenialReason[];

/** `protocols`: the versions that may follow. */
export const protocols = z.array(z.int().positive().max(65_535)).min(1).max(16);

const ping = z.strictObject({ t: z.literal('ping') });
const pong = z.strictObject({ t: z.literal('pong') });
const bye = z.strictObject({
  t: z.literal('bye'),
  reason: z.enum(['closing', 'asleep', 'unpaired']),
});
/** What either side may send at any moment; pairing speaks these too. */
export const liveness = [ping, pong, bye] as const;

const helloOf = <Program extends string>(program: Program) =>
  z.strictObject({
    t: z.literal('hello'),
    protocols,
    program: z.literal(program),
    version: text(64),
  });

/** A session-bind@openssh.com as it came. */
const bind = z.strictObject({
  hostKey: base64(8 * 1024),
  sessionId: base64(128),
  signature: base64(4 * 1024),
  isForwarding: z.boolean(),
});

const sign = z.strictObject({
  t: z.literal('sign'),
  id: requestId,
  /** What is left of the headset's clock, if the sheet is shown at once. */
  ttl: milliseconds,
  queueTtl: milliseconds,
  sheetTtl: milliseconds,
  /** As typed: a claim. */
  host: text(255),
  port: z.int().min(0).max(65_535),
  user: text(255),
  /** The matching code. */
  code: z.string().regex(/^[0-9]{2}$/),
  fingerprint,
  /** The challenge. */
  data: base64(MAX_CHALLENGE),
  /** What proves the destination, in the order of the forwarding. */
  binds: z.array(bind).max(AGENT_MAX_SESSION_IDS),
});

const withdraw = z.strictObject({ t: z.literal('withdraw'), id: requestId });
const queued = z.strictObject({ t: z.literal('queued'), id: requestId });
const presented = z.strictObject({ t: z.literal('presented'), id: requestId });
/** Its sheet is up, where nobody looks. */
const unseen = z.strictObject({ t: z.literal('unseen'), id: requestId });

const result = z.discriminatedUnion('outcome', [
  z.strictObject({
    t: z.literal('result'),
    id: requestId,
    outcome: z.literal('signed'),
    signature: base64(MAX_SIGNATURE),
  }),
  z.strictObject({
    t: z.literal('result'),
    id: requestId,
    outcome: z.literal('denied'),
    why: z.enum(denialReasons),
  }),
  z.strictObject({ t: z.literal('result'), id: requestId, outcome: z.literal('expired') }),
  z.strictObject({
    t: z.literal('result'),
    id: requestId,
    outcome: z.literal('failed'),
    reason: z.enum(signerFailures),
  }),
]);

const fromHeadset = z.discriminatedUnion('t', [helloOf('vmux'), sign, withdraw, ...liveness]);
const fromPhone = z.discriminatedUnion('t', [
  helloOf('signer'),
  identities,
  queued,
  presented,
  unseen,
  result,
  ...liveness,
]);

export type HeadsetMessage = z.infer<typeof fromHeadset>;
export type PhoneMessage = z.infer<typeof fromPhone>;
export type SignMessage = z.infer<typeof sign>;
export type ResultMessage = z.infer<typeof result>;
export type ByeReason = z.infer<typeof bye>['reason'];

/** A headset's message, or null: anything that a headset may not send. */
export function readHeadsetMessage(json: unknown): HeadsetMessage | null {
  return fromHeadset.safeParse(json).data ?? null;
}

/** A phone's message, or null: anything that a phone may not send. */
export function readPhoneMessage(json: unknown): PhoneMessage | null {
  return fromPhone.safeParse(json).data ?? null;
}

/**
 * The highest version in both lists. Without one, the program to update: the one whose newest
 * version is the older.
 */
export function negotiate(
  vmux: readonly number[],
  signer: readonly number[],
): { protocol: number } | { update: 'updateVmux' | 'updateSigner' } {
  const common = vmux.filter((version) => signer.includes(version));
  if (common.length > 0) return { protocol: Math.max(...common) };
  return { update: Math.max(...vmux) < Math.max(...signer) ? 'updateVmux' : 'updateSigner' };
}
