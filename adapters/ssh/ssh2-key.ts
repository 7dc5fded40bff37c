import { Buffer } from 'node:buffer';
import type { ParsedKey } from 'ssh2';
import {
  ECDSA_SHA2_NISTP256,
  NISTP256,
  readIdentityKey,
  SK_ECDSA_SHA2_NISTP256,
} from '../wire/identity-key.ts';
import { encodeString } from '../wire/ssh-wire.ts';

/** ssh2's own function. */
export type ParseKey = (line: string) => ParsedKey | Error;

/**
 * An identity's key as ssh2 takes it; `null` when it takes none. ssh2 1.17.0 cannot read the keys of
 * passkeys: it gets the plain key at the same point, under the passkey's type and blob. With such a
 * key it can only ask, which is all that it does here.
 */
export function keyForSsh2(parseKey: ParseKey, keyBlob: Buffer): ParsedKey | null {
  const key = readIdentityKey(keyBlob);
  if (key === null) return null;
  const plain = Buffer.concat([ECDSA_SHA2_NISTP256, NISTP256, key.point].map(encodeString));
  const parsed = parseKey(`${ECDSA_SHA2_NISTP256} ${plain.toString('base64')}`);
  if (parsed instanceof Error || key.algorithm !== SK_ECDSA_SHA2_NISTP256) {
    return parsed instanceof Error ? null : parsed;
  }
  // It inherits the mark by which ssh2 knows what it has parsed itself.
  return Object.create(parsed, {
    type: { value: key.algorithm },
    getPublicSSH: { value: () => keyBlob },
  }) as ParsedKey;
}
