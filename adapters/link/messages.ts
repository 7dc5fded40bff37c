/**
 * The messages of the link, protocol version 2: one strict schema each, and for each side what the
 * other may send. `hello` is the same in every version; it settles which one is spoken.
 */
import { z } from 'zod';
import { AGENT_MAX_SESSION_IDS } from '../wire/session-bind.ts';
import { MAX_FRAME } from './frames.ts';
import type { PublicIdentity, SignerFailure, DenialReason } from '../../machines/ports.ts';

/** The protocol versions that this program speaks. */
export const PROTOCOLS: readonly number[] = [2];

const MAX_IDENTITIES = 64;
/** UTF-16 units. */
const MAX_LABEL = 128;
/** Host keys that an identity may be locked to. */
const MAX_ONLY_FOR = 64;

const base64 = (max: number) =>
  z
    .string()
    .min(4)
    .max(max)
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text);
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed());
const requestId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);
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

const identity = z.strictObject({
  fingerprint,
  label: text(MAX_LABEL),
  algorithm: text(64),
  publicKey: base64(1024),
  onlyFor: z.array(fingerprint).max(MAX_ONLY_FOR).exactOptional(),
}) satisfies z.ZodType<PublicIdentity>;

const identities = z.strictObject({
  t: z.literal('identities'),
  identities: z.array(identity).max(MAX_IDENTITIES),
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
  data: base64(48 * 1024),
  /** What proves the destination, in the order of the forwarding. */
  binds: z.array(bind).max(AGENT_MAX_SESSION_IDS),
});

const withdraw = z.strictObject({ t: z.literal('withdraw'), id: requestId });
const queued = z.strictObject({ t: z.literal('queued'), id: requestId });
const presented = z.strictObject({ t: z.literal('presented'), id: requestId });

const result = z.discriminatedUnion('outcome', [
  z.strictObject({
    t: z.literal('result'),
    id: requestId,
    outcome: z.literal('signed'),
    signature: base64(8 * 1024),
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

/** As many of these, in order, as one message carries; labels cut to what it allows. */
export function sayableIdentities(offered: readonly PublicIdentity[]): PublicIdentity[] {
  let room = MAX_FRAME - 64;
  return offered
    .slice(0, MAX_IDENTITIES)
    .map(({ fingerprint, label, algorithm, publicKey, onlyFor }) => ({
      fingerprint,
      label: label.slice(0, MAX_LABEL).toWellFormed(),
      algorithm,
      publicKey,
      ...(onlyFor !== undefined && { onlyFor: onlyFor.slice(0, MAX_ONLY_FOR) }),
    }))
    .filter((one) => {
      room -= Buffer.byteLength(JSON.stringify(one)) + 1;
      return room >= 0;
    });
}
