/** A passkey's signature, as the page hands it over, verified (WebAuthn Level 2 §7.2). */
import { Buffer } from 'node:buffer';
import { createHash, verify } from 'node:crypto';
import { clientDataProblem, type ClientDataProblem } from '../wire/client-data.ts';
import { readPasskeyKey, type PasskeyKey } from '../wire/identity-key.ts';
import { isOriginOf } from '../wire/relying-party.ts';
import { readAuthenticatorData, type AuthenticatorData } from './authenticator-data.ts';
import { verifyingKey } from './cose-key.ts';
import { readDerSignature, type RawSignature } from './der-signature.ts';

/** An AuthenticatorAssertionResponse. */
export interface Assertion {
  clientDataJSON: Uint8Array;
  authenticatorData: Uint8Array;
  /** DER. */
  signature: Uint8Array;
}

export interface ExpectedAssertion {
  /** The passkey's SSH key blob; the relying party's id is in it. */
  publicKey: Uint8Array;
  /** The exact bytes. */
  challenge: Uint8Array;
  origin: string;
}

/** What was verified. Shares memory with the assertion. */
export interface VerifiedAssertion extends SignedByPasskey {
  ok: true;
  assertion: Assertion;
  expected: ExpectedAssertion;
}

/** Authenticator data with the signature that covers it. */
export interface SignedByPasskey {
  data: AuthenticatorData;
  signature: RawSignature;
}

export type SigningProblem =
  | 'authenticatorDataMalformed'
  | 'otherRelyingParty'
  | 'unexpectedCredential'
  | 'userNotPresent'
  | 'userNotVerified'
  | 'signatureMalformed'
  | 'signatureInvalid';

export type AssertionProblem =
  SigningProblem | ClientDataProblem | 'keyUnreadable' | 'originNotOfRelyingParty';

export const sha256 = (bytes: Uint8Array | string): Buffer =>
  createHash('sha256').update(bytes).digest();

/**
 * Whether the owner of `publicKey` was verified for exactly this challenge, on a page of this origin,
 * or why that is not so. The counter is read and not judged: synced passkeys do not count. Never
 * throws.
 */
export function verifyAssertion(
  assertion: Assertion,
  expected: ExpectedAssertion,
): VerifiedAssertion | { ok: false; why: AssertionProblem } {
  const { challenge, origin, publicKey } = expected;
  const key = readPasskeyKey(publicKey);
  if (key === null) return { ok: false, why: 'keyUnreadable' };
  if (!isOriginOf(origin, key.rpId)) return { ok: false, why: 'originNotOfRelyingParty' };
  const { clientDataJSON, authenticatorData, signature } = assertion;
  const why = clientDataProblem(clientDataJSON, { type: 'webauthn.get', challenge, origin });
  if (why !== null) return { ok: false, why };
  const signed = verifySigned(key, authenticatorData, sha256(clientDataJSON), signature);
  return typeof signed === 'string'
    ? { ok: false, why: signed }
    : { ok: true, ...signed, assertion, expected };
}

/**
 * The part of it that needs no client data, only its hash: that this passkey signed it with a
 * person verified.
 */
export function verifySigned(
  key: PasskeyKey,
  authenticatorData: Uint8Array,
  clientDataHash: Uint8Array,
  der: Uint8Array,
): SignedByPasskey | SigningProblem {
  const data = readAuthenticatorData(authenticatorData);
  if (data === null) return 'authenticatorDataMalformed';
  if (!sha256(key.rpId).equals(data.rpIdHash)) return 'otherRelyingParty';
  // What was signed when a passkey is made is no login, and sshd takes none with this flag.
  if (data.credential !== null) return 'unexpectedCredential';
  if (!data.userPresent) return 'userNotPresent';
  if (!data.userVerified) return 'userNotVerified';
  const signature = readDerSignature(der);
  if (signature === null) return 'signatureMalformed';
  const publicKey = verifyingKey(key.point);
  const signed = Buffer.concat([authenticatorData, clientDataHash]);
  const isGood = publicKey !== null && verify('sha256', signed, publicKey, der);
  return isGood ? { data, signature } : 'signatureInvalid';
}
