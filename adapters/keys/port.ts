/** The keys port of the signer machine: one signature with the key that was opened for it. */
import { createHash } from 'node:crypto';
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { Signing, SigningInput } from '../../machines/phone/ports.ts';
import { verifyIdentitySignature } from './identity-signature.ts';
import { fingerprint } from './public-key.ts';
import { readSignData } from './sign-data.ts';
import type { OpenedKey } from './sealed-key.ts';

export interface SigningParts {
  /** The key opened for exactly this request, once; `null` when there is none. */
  takeOpened(ref: string): OpenedKey | null;
  /** The exact bytes to sign; `null` when they are gone. */
  challengeFor(ref: string): Uint8Array | null;
  /** Keeps, durably, what shows that the owner was verified. Called before the signature goes on. */
  keepReceipt(input: SigningInput, receipt: NonNullable<OpenedKey['receipt']>): void;
  /** Leaves the signature blob where the link finds it. Called only with one that verifies. */
  putSignature(ref: string, signature: Uint8Array): void;
}

/** Why nothing was signed. A plain object, so that the event that carries it replays as it was. */
export interface SigningRejection {
  name:
    | 'KeyNotOpen'
    | 'KeyMismatch'
    | 'ChallengeMissing'
    | 'ChallengeChanged'
    | 'ChallengeUnreadable'
    | 'SignatureInvalid'
    | 'SigningFailed';
  message: string;
}

/**
 * Resolves with the hex SHA-256 of the signature blob; rejects with a `SigningRejection`, and then
 * `putSignature` has not been called. The opened key is closed either way.
 */
export function createSigning(parts: SigningParts): PromiseActorLogic<Signing, SigningInput> {
  return fromPromise(({ input }) => {
    const key = parts.takeOpened(input.ref);
    if (key === null) return rejection('KeyNotOpen', 'no key is open for this request');
    try {
      return signOnce(parts, key, input);
    } catch {
      return rejection('SigningFailed', 'signing failed');
    } finally {
      key.close();
    }
  });
}

function signOnce(parts: SigningParts, key: OpenedKey, input: SigningInput): Promise<Signing> {
  if (fingerprint(key.publicKey) !== input.fingerprint) {
    return rejection('KeyMismatch', 'the open key is not the one that was approved');
  }
  const challenge = parts.challengeFor(input.ref);
  if (challenge === null) return rejection('ChallengeMissing', 'the bytes to sign are gone');
  if (hexHash(challenge) !== input.challengeHash) {
    return rejection('ChallengeChanged', 'the bytes to sign are not those that were shown');
  }
  const read = readSignData(challenge);
  if (read === null || (read.kind !== 'sshsig' && read.fingerprint !== input.fingerprint)) {
    return rejection('ChallengeUnreadable', 'the bytes to sign are no request for this key');
  }
  const signature = key.sign(challenge);
  if (!verifyIdentitySignature(key.publicKey, challenge, signature)) {
    return rejection('SignatureInvalid', 'the new signature does not verify');
  }
  if (key.receipt !== undefined) parts.keepReceipt(input, key.receipt);
  parts.putSignature(input.ref, signature);
  return Promise.resolve({ signatureHash: hexHash(signature) });
}

function hexHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function rejection(name: SigningRejection['name'], message: string): Promise<never> {
  const reason: SigningRejection = { name, message };
  return Promise.reject(reason);
}
