import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { inPage, type PageKey } from '../../app/phone/web/page-verification.ts';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { generateP256Key, signWithP256 } from '../../adapters/keys/p256.ts';
import type { OpenedKey } from '../../adapters/keys/sealed-key.ts';
import type { VerifiedByPage } from '../../adapters/phone-page/protocol.ts';
import { checkReceipt, isReceiptFor, readReceipt } from '../../adapters/webauthn/receipt.ts';
import { createAuthenticator, type Behaviour } from '../support/authenticator.ts';
import { login } from '../adapters/keys-examples.ts';

const authenticator = createAuthenticator();
const other = createAuthenticator();
const plain = generateP256Key();
const challenge = login();
const request = { ref: 'headset/1', fingerprint: 'SHA256:asked' };

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

const passkey: PageKey = {
  publicKey: authenticator.blob,
  passkey: {
    publicKey: authenticator.blob,
    credentialId: base64url(authenticator.credentialId),
    origin: authenticator.origin,
  },
  isSealed: false,
};
const sealed: PageKey = { ...passkey, publicKey: plain.publicKey, isSealed: true };

function answerTo(
  bytes: Uint8Array,
  { by = authenticator, how = {}, signature = null as Buffer | null } = {} as {
    by?: typeof authenticator;
    how?: Partial<Behaviour>;
    signature?: Buffer | null;
  },
): VerifiedByPage {
  const { clientDataJSON, authenticatorData, signature: der } = by.get(bytes, how);
  return {
    assertion: {
      credentialId: base64url(by.credentialId),
      clientDataJSON: base64url(clientDataJSON),
      authenticatorData: base64url(authenticatorData),
      signature: base64url(der),
    },
    signature: signature && base64url(signature),
  };
}

/** One verification, in which the page answers so. */
async function verifying(
  key: PageKey | null,
  answer: VerifiedByPage | null,
  { bytes = challenge as Uint8Array | null, signal = new AbortController().signal } = {},
) {
  const kept: { ref: string; key: OpenedKey }[] = [];
  const verify = inPage({
    keyOf: (fingerprint) => (fingerprint === request.fingerprint ? key : null),
    challengeFor: (ref) => (ref === request.ref ? bytes : null),
    answerOf: async () => answer,
    keep: (ref, opened) => void kept.push({ ref, key: opened }),
  });
  const outcome = await verify(request, signal).catch((error: unknown) => error);
  return { outcome, kept };
}

const verified = { verdict: 'verified' };
const refused = { verdict: 'refused' };
const signatureOf = (bytes: Uint8Array) => signWithP256(plain, bytes);

describe('a person whom the page verifies', () => {
  it('with a passkey signs these bytes, once, and no others', async () => {
    const { outcome, kept } = await verifying(passkey, answerTo(challenge));
    expect(outcome).toEqual(verified);
    expect(kept).toHaveLength(1);
    const { key, ref } = kept[0]!;
    expect(ref).toBe(request.ref);
    expect(() => key.sign(login({ user: 'root' }))).toThrow('other bytes');
    const signature = key.sign(challenge);
    expect(verifyIdentitySignature(authenticator.blob, challenge, signature)).toBe(true);
    expect(() => key.sign(challenge)).toThrow();
  });

  it('with a key that the passkey seals signs plainly, and there is a receipt by the passkey', async () => {
    const answer = answerTo(challenge, { signature: signatureOf(challenge) });
    const { outcome, kept } = await verifying(sealed, answer);
    expect(outcome).toEqual(verified);
    const { key } = kept[0]!;
    expect(verifyIdentitySignature(plain.publicKey, challenge, key.sign(challenge))).toBe(true);
    const receipt = readReceipt(key.receipt);
    expect.assert(receipt !== null);
    expect(checkReceipt(receipt)).toEqual({ ok: true });
    expect(isReceiptFor(receipt, challenge)).toBe(true);
    expect(isReceiptFor(receipt, login({ user: 'root' }))).toBe(false);
  });

  it('closed before it signs, signs nothing any more', async () => {
    const { kept } = await verifying(passkey, answerTo(challenge));
    kept[0]!.key.close();
    expect(() => kept[0]!.key.sign(challenge)).toThrow();
  });
});

describe('nothing is opened', () => {
  it('when the page says that nobody was verified', async () => {
    expect(await verifying(passkey, null)).toEqual({ outcome: refused, kept: [] });
  });

  it('when the request has ended meanwhile', async () => {
    const signal = AbortSignal.abort();
    const { outcome, kept } = await verifying(passkey, answerTo(challenge), { signal });
    expect({ outcome, kept }).toEqual({ outcome: refused, kept: [] });
  });

  const otherBytes = login({ user: 'root' });
  it.each<[string, PageKey | null, VerifiedByPage, string, (Uint8Array | null)?]>([
    ['for an identity that no page approves', null, answerTo(challenge), 'NoPasskey'],
    ['when the bytes are gone', passkey, answerTo(challenge), 'ChallengeMissing', null],
    ['for other bytes', passkey, answerTo(otherBytes), 'otherChallenge'],
    [
      'without user verification',
      passkey,
      answerTo(challenge, { how: { userVerified: false } }),
      'userNotVerified',
    ],
    [
      'by a page of another site',
      passkey,
      answerTo(challenge, { how: { origin: 'https://evil.example' } }),
      'otherOrigin',
    ],
    ['by another passkey', passkey, answerTo(challenge, { by: other }), 'otherCredential'],
    [
      'with a signature beside that of a passkey',
      passkey,
      answerTo(challenge, { signature: signatureOf(challenge) }),
      'signatureMissing',
    ],
    ['without the signature of a sealed key', sealed, answerTo(challenge), 'signatureMissing'],
    [
      'with a signature of the sealed key over other bytes',
      sealed,
      answerTo(challenge, { signature: signatureOf(otherBytes) }),
      'signatureInvalid',
    ],
    [
      'with another key’s signature',
      sealed,
      answerTo(challenge, { signature: signWithP256(generateP256Key(), challenge) }),
      'signatureInvalid',
    ],
  ])('%s', async (_what, key, answer, why, bytes = challenge) => {
    const { outcome, kept } = await verifying(key, answer, { bytes });
    expect(kept).toEqual([]);
    expect(JSON.stringify(outcome)).toContain(why);
  });
});
