/**
 * The person's verification in the phone's page: WebAuthn, which on an iPhone is Face ID. The page
 * asks the passkey to sign the very bytes of the request, so that what comes back is the signature,
 * or the proof that beside the signature somebody was verified for it.
 */
import { Buffer } from 'node:buffer';
import { verifyIdentitySignature } from '../../../adapters/keys/identity-signature.ts';
import type { OpenedKey } from '../../../adapters/keys/sealed-key.ts';
import type { VerifiedByPage } from '../../../adapters/phone-page/protocol.ts';
import { verifyAssertion, type AssertionProblem } from '../../../adapters/webauthn/assertion.ts';
import { receiptOf } from '../../../adapters/webauthn/receipt.ts';
import { sshSignatureOf } from '../../../adapters/webauthn/ssh-signature.ts';
import type { VerificationRejection, Verify } from '../../../adapters/biometrics/verification.ts';

/** An identity whose requests the page approves. Key blobs as SSH has them. */
export interface PageKey {
  publicKey: Buffer;
  passkey: {
    publicKey: Buffer;
    /** base64url */
    credentialId: string;
    origin: string;
  };
  /** Whether the passkey only seals the key that signs. */
  isSealed: boolean;
}

export interface PageVerificationParts {
  /** `null` when the page does not approve for this identity. */
  keyOf(fingerprint: string): PageKey | null;
  /** The exact bytes to sign; `null` when they are gone. */
  challengeFor(ref: string): Uint8Array | null;
  /**
   * What the page sends after the tap that approved this request. `null`: the person was not
   * verified, or the page that asked them is gone. Ends when `signal` is aborted.
   */
  answerOf(ref: string, signal: AbortSignal): Promise<VerifiedByPage | null>;
  /** As in `OpeningParts`. */
  keep(ref: string, key: OpenedKey, signal: AbortSignal): void;
}

/**
 * Verification in the page. `refused` is a person who was not verified. Rejects with a
 * `VerificationRejection` when what the page sends does not hold: a passkey that did not verify its
 * owner, other bytes, another page, another key.
 */
export function inPage(parts: PageVerificationParts): Verify {
  return async ({ ref, fingerprint }, signal) => {
    const key = parts.keyOf(fingerprint);
    if (key === null) throw rejection('NoPasskey', 'no page can approve for this identity');
    const answer = await parts.answerOf(ref, signal);
    if (answer === null || signal.aborted) return { verdict: 'refused' };
    const challenge = parts.challengeFor(ref);
    if (challenge === null) throw rejection('ChallengeMissing', 'the bytes to sign are gone');
    const opened = openedBy(key, Buffer.from(challenge), answer);
    if (typeof opened === 'string') {
      throw rejection('AssertionInvalid', `what the page sent does not hold: ${opened}`);
    }
    parts.keep(ref, opened, signal);
    return { verdict: 'verified' };
  };
}

/** A key that signs these bytes and no others: the page has done it. */
function openedBy(
  { publicKey, passkey, isSealed }: PageKey,
  challenge: Buffer,
  { assertion, signature }: VerifiedByPage,
): OpenedKey | AssertionProblem | 'otherCredential' | 'signatureMissing' | 'signatureInvalid' {
  if (assertion.credentialId !== passkey.credentialId) return 'otherCredential';
  const { origin } = passkey;
  const verified = verifyAssertion(
    {
      clientDataJSON: bytes(assertion.clientDataJSON),
      authenticatorData: bytes(assertion.authenticatorData),
      signature: bytes(assertion.signature),
    },
    { publicKey: passkey.publicKey, challenge, origin },
  );
  if (!verified.ok) return verified.why;
  if (isSealed === (signature === null)) return 'signatureMissing';
  const made = signature === null ? sshSignatureOf(verified) : bytes(signature);
  if (!verifyIdentitySignature(publicKey, challenge, made)) return 'signatureInvalid';
  let isOpen = true;
  const receipt = receiptOf(verified);
  return {
    publicKey,
    receipt,
    sign(data) {
      if (!isOpen || !challenge.equals(data)) throw new Error('approved for other bytes');
      isOpen = false;
      return Buffer.from(made);
    },
    close() {
      isOpen = false;
      challenge.fill(0);
      made.fill(0);
    },
  };
}

const bytes = (base64url: string) => Buffer.from(base64url, 'base64url');

const rejection = (name: string, message: string): VerificationRejection => ({ name, message });
