/** The message in which a phone says what it can sign with. */
import { z } from 'zod';
import type { PublicIdentity } from '../../machines/ports.ts';
import { readIdentityKey } from '../wire/identity-key.ts';
import { base64, fingerprint, text } from './fields.ts';
import { MAX_FRAME } from './frames.ts';

const MAX_IDENTITIES = 64;
/** UTF-16 units. */
const MAX_LABEL = 128;
/** Host keys that an identity may be locked to. */
const MAX_ONLY_FOR = 64;

/**
 * The key blob is wholly one of an identity, and of the type that the algorithm says. Whether the
 * point is on the curve is not asked.
 */
const identity = z
  .strictObject({
    fingerprint,
    label: text(MAX_LABEL),
    algorithm: text(64),
    publicKey: base64(1024),
    onlyFor: z.array(fingerprint).max(MAX_ONLY_FOR).exactOptional(),
  })
  .refine(
    ({ algorithm, publicKey }) =>
      readIdentityKey(Buffer.from(publicKey, 'base64'))?.algorithm === algorithm,
  ) satisfies z.ZodType<PublicIdentity>;

export const identities = z.strictObject({
  t: z.literal('identities'),
  identities: z.array(identity).max(MAX_IDENTITIES),
});

/**
 * As many of these, in order, as one message carries; labels cut to what it allows. Those that it
 * cannot carry at all are left out.
 */
export function sayableIdentities(offered: readonly PublicIdentity[]): PublicIdentity[] {
  let room = MAX_FRAME - 64;
  return offered
    .map(({ fingerprint, label, algorithm, publicKey, onlyFor }) => ({
      fingerprint,
      label: label.slice(0, MAX_LABEL).toWellFormed(),
      algorithm,
      publicKey,
      ...(onlyFor !== undefined && { onlyFor: onlyFor.slice(0, MAX_ONLY_FOR) }),
    }))
    .filter((one) => identity.safeParse(one).success)
    .slice(0, MAX_IDENTITIES)
    .filter((one) => {
      room -= Buffer.byteLength(JSON.stringify(one)) + 1;
      return room >= 0;
    });
}
