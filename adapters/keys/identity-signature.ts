/** Signatures of identities over a challenge, whichever kind of key they have. */
import { Buffer } from 'node:buffer';
import { createHash, verify } from 'node:crypto';
import { verifySignature } from './p256.ts';
import { curves } from './plain-key.ts';
import { readRs } from './plain-signature.ts';
import { AT, ED, SSH_SK_USER_PRESENCE_REQD, SSH_SK_USER_VERIFICATION_REQD } from './protocol.ts';
import { publicKeyAt } from './public-key.ts';
import { clientDataProblem } from '../wire/client-data.ts';
import {
  readIdentityKey,
  SK_ECDSA_SHA2_NISTP256,
  WEBAUTHN_SK_ECDSA_SHA2_NISTP256,
  type PasskeyKey,
} from '../wire/identity-key.ts';
import { isOriginOf } from '../wire/relying-party.ts';
import { encodeUint32 } from '../wire/ssh-wire.ts';
import { wireReader } from '../wire/wire-reader.ts';

/**
 * Whether `signatureBlob` is this key's signature over `data`: strictly, and by a passkey only with
 * its owner verified. False for anything else; never throws.
 */
export function verifyIdentitySignature(
  publicKey: Uint8Array,
  data: Uint8Array,
  signatureBlob: Uint8Array,
): boolean {
  const key = readIdentityKey(publicKey);
  return key?.algorithm === SK_ECDSA_SHA2_NISTP256
    ? verifyPasskeySignature(key, data, signatureBlob)
    : verifySignature(publicKey, data, signatureBlob);
}

/** Whether `data` is the challenge in the client data, and a page of the key's relying party asked. */
function verifyPasskeySignature(
  { point, rpId }: PasskeyKey,
  data: Uint8Array,
  signatureBlob: Uint8Array,
): boolean {
  const publicKey = publicKeyAt(point);
  const read = readWebauthnSignature(signatureBlob);
  if (publicKey === null || read === null) return false;
  const { rs, flags, counter, origin, clientData, extensions } = read;
  if (!isUserVerified(flags) || !isOriginOf(origin, rpId)) return false;
  const expected = { type: 'webauthn.get', challenge: data, origin } as const;
  if (clientDataProblem(clientData, expected) !== null) return false;
  const signed = Buffer.concat([
    sha256(rpId),
    Buffer.of(flags),
    encodeUint32(counter),
    extensions,
    sha256(clientData),
  ]);
  return verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, rs);
}

/** Such a signature is no login's if it was made for a new passkey; sshd takes none, either. */
function isUserVerified(flags: number): boolean {
  const needed = SSH_SK_USER_PRESENCE_REQD | SSH_SK_USER_VERIFICATION_REQD;
  return (flags & needed) === needed && (flags & AT) === 0;
}

interface WebauthnSignature {
  rs: Buffer;
  flags: number;
  counter: number;
  origin: string;
  clientData: Uint8Array;
  /** As it was signed; what it says is not read. */
  extensions: Uint8Array;
}

/** OpenSSH PROTOCOL.u2f, "SSH U2F signatures": `null` for anything else or anything more. */
function readWebauthnSignature(blob: Uint8Array): WebauthnSignature | null {
  const curve = curves.get(SK_ECDSA_SHA2_NISTP256);
  const reader = wireReader(blob);
  if (curve === undefined || reader.text() !== WEBAUTHN_SK_ECDSA_SHA2_NISTP256) return null;
  const value = reader.string();
  const flags = reader.byte();
  const counter = reader.uint32();
  const origin = reader.text();
  const clientData = reader.string();
  const extensions = reader.string();
  if (value === null || flags === null || counter === null || origin === null) return null;
  if (clientData === null || extensions === null || !reader.atEnd()) return null;
  if (((flags & ED) !== 0) !== extensions.length > 0) return null;
  const rs = readRs(value, curve);
  return rs && { rs, flags, counter, origin, clientData, extensions };
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();
