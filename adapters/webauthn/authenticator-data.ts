/** Authenticator data (WebAuthn Level 3 §6.1), read strictly. */
import { Buffer } from 'node:buffer';
import { wireReader } from '../wire/wire-reader.ts';
import { readCbor } from './cbor.ts';
import { readCoseKey } from './cose-key.ts';
import { AAGUID_LENGTH, AT, BE, BS, ED, MAX_CREDENTIAL_ID, UP, UV } from './protocol.ts';

export interface AuthenticatorData {
  /** SHA-256 of the relying party's id. */
  rpIdHash: Uint8Array;
  /** As it came: bits that this program does not know are signed, too. */
  flags: number;
  /** Somebody was there. */
  userPresent: boolean;
  /** It was made sure who: Face ID, a fingerprint, a PIN. */
  userVerified: boolean;
  /** The credential can be copied to other devices: it is a synced passkey. */
  backupEligible: boolean;
  /** It has been, at this moment. */
  backedUp: boolean;
  /** Signatures so far, or 0: an authenticator need not count, and synced passkeys never do. */
  counter: number;
  /** There when the credential was made. */
  credential: AttestedCredential | null;
  /** A CBOR map as it came; empty when there is none. */
  extensions: Uint8Array;
}

/** WebAuthn Level 3 §6.5.1. */
export interface AttestedCredential {
  /** The model of the authenticator; zeros when it does not say. */
  aaguid: Uint8Array;
  id: Uint8Array;
  /** 65 bytes `04 x y`, on the curve. */
  point: Buffer;
}

/** `null` unless `bytes` are wholly that. Shares memory with them, but for the point. */
export function readAuthenticatorData(bytes: Uint8Array): AuthenticatorData | null {
  const reader = wireReader(bytes);
  const rpIdHash = reader.raw(32);
  const flags = reader.byte();
  const counter = reader.uint32();
  if (rpIdHash === null || flags === null || counter === null) return null;
  const has = (flag: number) => (flags & flag) !== 0;
  if (has(BS) && !has(BE)) return null;

  let end = 37;
  let credential: AttestedCredential | null = null;
  if (has(AT)) {
    const attested = readCredential(bytes, end);
    if (attested === null) return null;
    ({ credential, end } = attested);
  }
  const extensions = bytes.subarray(end);
  if (has(ED) ? !isExtensions(extensions) : extensions.length > 0) return null;
  return {
    rpIdHash,
    flags,
    userPresent: has(UP),
    userVerified: has(UV),
    backupEligible: has(BE),
    backedUp: has(BS),
    counter,
    credential,
    extensions,
  };
}

function readCredential(
  bytes: Uint8Array,
  start: number,
): { credential: AttestedCredential; end: number } | null {
  const reader = wireReader(bytes.subarray(start));
  const aaguid = reader.raw(AAGUID_LENGTH);
  const high = reader.byte();
  const low = reader.byte();
  if (aaguid === null || high === null || low === null) return null;
  const length = high * 256 + low;
  const id = reader.raw(length);
  if (id === null || length === 0 || length > MAX_CREDENTIAL_ID) return null;
  const key = readCbor(bytes, start + AAGUID_LENGTH + 2 + length);
  const point = key && readCoseKey(key.value);
  if (key === null || point === null) return null;
  return { credential: { aaguid, id, point }, end: key.end };
}

/** One map and nothing else, every key an extension's name (§9). */
function isExtensions(bytes: Uint8Array): boolean {
  const read = readCbor(bytes, 0);
  if (read === null || read.end !== bytes.length || !(read.value instanceof Map)) return false;
  return read.value.keys().every((name: unknown) => typeof name === 'string');
}
