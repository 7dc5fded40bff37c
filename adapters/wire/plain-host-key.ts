/** The key inside a host's certificate, which is what a host is known by. */
import { ECDSA_SHA2_NISTP256, SK_ECDSA_SHA2_NISTP256 } from './identity-key.ts';
import {
  CERTIFIED_KEY_TYPES,
  ECDSA_SHA2_NISTP384,
  ECDSA_SHA2_NISTP521,
  SK_SSH_ED25519,
  SSH_ED25519,
  SSH_RSA,
} from './protocol.ts';
import { wireReader } from './wire-reader.ts';
import { concatBytes, wireString } from './wire-writer.ts';

/** How many `string`s and `mpint`s a public key has after its type (OpenSSH PROTOCOL.certkeys). */
const fieldCounts: ReadonlyMap<string, number> = new Map([
  [SSH_ED25519, 1],
  [SSH_RSA, 2],
  [ECDSA_SHA2_NISTP256, 2],
  [ECDSA_SHA2_NISTP384, 2],
  [ECDSA_SHA2_NISTP521, 2],
  [SK_SSH_ED25519, 2],
  [SK_ECDSA_SHA2_NISTP256, 3],
]);

/**
 * The blob of the plain key. A blob that is no certificate of a known type is its own. Nothing of
 * the certificate is verified, not even that the rest of it is there.
 */
export function plainHostKey(blob: Uint8Array): Uint8Array {
  const reader = wireReader(blob);
  const type = CERTIFIED_KEY_TYPES.get(reader.text() ?? '');
  const count = type === undefined ? undefined : fieldCounts.get(type);
  if (type === undefined || count === undefined || reader.string() === null) return blob;
  const fields = Array.from({ length: count }, () => reader.string());
  if (!fields.every((field) => field !== null)) return blob;
  return concatBytes(wireString(type), ...fields.map((field) => wireString(field)));
}
