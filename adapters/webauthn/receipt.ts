/**
 * What remains of an approval: enough for anybody to check that the passkey's owner was verified for
 * it, without the challenge itself.
 */
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import { clientDataBeginning, clientDataProblem } from '../wire/client-data.ts';
import { readPasskeyKey } from '../wire/identity-key.ts';
import { isOriginOf } from '../wire/relying-party.ts';
import { sha256, verifySigned, type SigningProblem, type VerifiedAssertion } from './assertion.ts';

const base64 = z.base64().max(4096);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const receipt = z.strictObject({
  /** The passkey's SSH key blob. */
  publicKey: base64,
  /** SHA-256 of the SSH bytes: the name that they have in the log. */
  challengeHash: hash,
  /** SHA-256 of clientDataJSON: what the signature covers beside the authenticator data. */
  clientDataHash: hash,
  origin: z.string().max(300),
  /** What follows the origin in clientDataJSON, so that who has the challenge can write it again. */
  clientDataEnd: z.string().max(4096),
  authenticatorData: base64,
  /** DER. */
  signature: base64,
});

/** JSON. Byte fields are base64, hashes hex. */
export type Receipt = z.infer<typeof receipt>;

export type ReceiptProblem = SigningProblem | 'keyUnreadable';

/** Of a verified assertion. The client data is there but for its challenge. */
export function receiptOf({ assertion, expected }: VerifiedAssertion): Receipt {
  const { challenge, origin, publicKey } = expected;
  const { clientDataJSON, authenticatorData, signature } = assertion;
  const beginning = clientDataBeginning({ type: 'webauthn.get', challenge, origin });
  const clientData = Buffer.from(clientDataJSON).toString();
  return {
    publicKey: Buffer.from(publicKey).toString('base64'),
    challengeHash: sha256(challenge).toString('hex'),
    clientDataHash: sha256(clientDataJSON).toString('hex'),
    origin,
    clientDataEnd: clientData.slice(beginning.length),
    authenticatorData: Buffer.from(authenticatorData).toString('base64'),
    signature: Buffer.from(signature).toString('base64'),
  };
}

/** `null` for a JSON value that is no receipt. What it claims is not checked. */
export function readReceipt(json: unknown): Receipt | null {
  return receipt.safeParse(json).data ?? null;
}

/**
 * Whether this passkey signed with its owner verified. That the client data of this hash is about
 * the challenge of that hash is the word of whoever kept the receipt: only `isReceiptFor` shows it.
 */
export function checkReceipt(kept: Receipt): { ok: true } | { ok: false; why: ReceiptProblem } {
  const key = readPasskeyKey(bytes(kept.publicKey));
  if (key === null) return { ok: false, why: 'keyUnreadable' };
  const clientDataHash = Buffer.from(kept.clientDataHash, 'hex');
  const data = bytes(kept.authenticatorData);
  const signed = verifySigned(key, data, clientDataHash, bytes(kept.signature));
  return typeof signed === 'string' ? { ok: false, why: signed } : { ok: true };
}

/**
 * Whether a receipt that `checkReceipt` has passed is for exactly these SSH bytes, which only those
 * have who were there: the session id is in them.
 */
export function isReceiptFor(kept: Receipt, challenge: Uint8Array): boolean {
  const { publicKey, origin, clientDataEnd, challengeHash, clientDataHash } = kept;
  const expected = { type: 'webauthn.get', challenge, origin } as const;
  const clientData = Buffer.from(`${clientDataBeginning(expected)}${clientDataEnd}`);
  const key = readPasskeyKey(bytes(publicKey));
  return (
    sha256(challenge).toString('hex') === challengeHash &&
    sha256(clientData).toString('hex') === clientDataHash &&
    clientDataProblem(clientData, expected) === null &&
    key !== null &&
    isOriginOf(origin, key.rpId)
  );
}

const bytes = (base64: string) => Buffer.from(base64, 'base64');
