import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { verifyAssertion, type VerifiedAssertion } from '../../adapters/webauthn/assertion.ts';
import { readDerSignature } from '../../adapters/webauthn/der-signature.ts';
import {
  checkReceipt,
  isReceiptFor,
  readReceipt,
  receiptOf,
} from '../../adapters/webauthn/receipt.ts';
import { sshSignatureOf } from '../../adapters/webauthn/ssh-signature.ts';
import { createAuthenticator, packForSsh, type Behaviour } from '../support/authenticator.ts';
import { key, str } from './keys-examples.ts';
import {
  authenticator,
  challenge,
  expected,
  flipped,
  longer,
  truncations,
} from './webauthn-examples.ts';

const assertion = authenticator.get(challenge);

function verified(made = assertion, wanted = expected): VerifiedAssertion {
  const result = verifyAssertion(made, wanted);
  if (!result.ok) throw new Error(result.why);
  return result;
}

describe('an assertion', () => {
  test.each([
    ['that counts', {}, { counter: 1, backupEligible: false, backedUp: false }],
    ['that is synced', { synced: true }, { counter: 0, backupEligible: true, backedUp: true }],
    ['that signs extension data', { hmacSecret: true }, { counter: 1 }],
  ])('by a passkey %s is verified over its challenge', (_what, options, data) => {
    const one = createAuthenticator(options);
    const wanted = { publicKey: one.blob, challenge, origin: one.origin };
    expect(verified(one.get(challenge), wanted).data).toMatchObject({
      userPresent: true,
      userVerified: true,
      ...data,
    });
  });

  test.each([
    ['otherType', authenticator.get(challenge, { type: 'webauthn.create' })],
    ['otherChallenge', authenticator.get(longer(challenge))],
    ['otherChallenge', authenticator.get(flipped(challenge, 5))],
    ['otherOrigin', authenticator.get(challenge, { origin: 'https://evil.example' })],
    ['crossOrigin', authenticator.get(challenge, { crossOrigin: true })],
    ['clientDataMalformed', { ...assertion, clientDataJSON: longer(assertion.clientDataJSON) }],
    ['otherRelyingParty', authenticator.get(challenge, { rpId: 'evil.example' })],
    ['userNotPresent', authenticator.get(challenge, { userPresent: false })],
    ['userNotVerified', authenticator.get(challenge, { userVerified: false })],
    ['unexpectedCredential', authenticator.get(challenge, { attested: true })],
    ['authenticatorDataMalformed', { ...assertion, authenticatorData: Buffer.alloc(36) }],
    ['signatureMalformed', { ...assertion, signature: Buffer.alloc(64, 1) }],
    ['signatureInvalid', { ...assertion, signature: authenticator.get(challenge).signature }],
    ['signatureInvalid', { ...createAuthenticator(authenticator).get(challenge) }],
  ])('is refused: %s', (why, made) => {
    expect(verifyAssertion(made, expected)).toEqual({ ok: false, why });
  });

  test('is refused when the flag of the verification was added afterwards', () => {
    const made = authenticator.get(challenge, { userVerified: false });
    const authenticatorData = flipped(made.authenticatorData, 32, 0x04);
    const why = 'signatureInvalid';
    expect(verifyAssertion({ ...made, authenticatorData }, expected)).toEqual({ ok: false, why });
  });

  test.each([
    ['keyUnreadable', { publicKey: key.publicKey }],
    ['keyUnreadable', { publicKey: authenticator.blob.subarray(1) }],
    ['originNotOfRelyingParty', { origin: 'https://evil.example' }],
  ])('is refused by what is expected of it: %s', (why, change) => {
    expect(verifyAssertion(assertion, { ...expected, ...change })).toEqual({ ok: false, why });
  });

  test('is refused by a key that is off the curve', () => {
    const point = flipped(authenticator.point, 64);
    const { blob, rpId } = authenticator;
    const publicKey = Buffer.concat([blob.subarray(4, 38), 'nistp256', point, rpId].map(str));
    const why = 'signatureInvalid';
    expect(verifyAssertion(assertion, { ...expected, publicKey })).toEqual({ ok: false, why });
  });

  test('is refused when any of its parts is cut off, added to or flipped anywhere', () => {
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      const changed = [
        ...truncations(assertion[part]),
        longer(assertion[part]),
        ...assertion[part].keys().map((at) => flipped(assertion[part], at)),
      ];
      for (const value of changed) {
        expect(verifyAssertion({ ...assertion, [part]: value }, expected).ok).toBe(false);
      }
    }
  });

  test('never makes the verifier throw', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (one, two, three) => {
        const made = { clientDataJSON: one, authenticatorData: two, signature: three };
        expect(verifyAssertion(made, expected).ok).toBe(false);
      }),
    );
  });
});

const der = (hex: string) => readDerSignature(Buffer.from(hex, 'hex'));

describe('a DER signature', () => {
  const full = 'ff'.repeat(32);

  test('is its two numbers, without their leading zeros', () => {
    expect(der('3006020101020102')).toEqual({ r: Buffer.of(1), s: Buffer.of(2) });
    expect(der('300802020080020200ff')).toEqual({ r: Buffer.of(0x80), s: Buffer.of(0xff) });
    const high = Buffer.alloc(32, 0xff);
    expect(der(`3046022100${full}022100${full}`)).toEqual({ r: high, s: high });
  });

  test.each([
    ['with a length in two bytes', '308106020101020102'],
    ['of indefinite length', '30800201010201020000'],
    ['with something after it', '300602010102010200'],
    ['with something inside', '30080201010201020500'],
    ['that is no sequence', '3106020101020102'],
    ['with no integers', '3006040101040102'],
    ['with an empty number', '30050200020101'],
    ['with a zero', '3006020100020102'],
    ['with a negative number', '3006020180020102'],
    ['with a needless leading zero', '300702020001020102'],
    ['with a number of 33 bytes', `3026022101${'00'.repeat(32)}020102`],
    ['with a number of 33 bytes and its sign', `302702220080${'00'.repeat(32)}020102`],
    ['with a length beyond it', '3006020501020102'],
    ['with one number', '3003020101'],
    ['that is empty', ''],
  ])('%s is refused', (_what, hex) => {
    expect(der(hex)).toBeNull();
  });

  test('is refused cut off anywhere', () => {
    for (const cut of truncations(assertion.signature)) expect(readDerSignature(cut)).toBeNull();
  });
});

describe('an SSH signature', () => {
  test.each([
    ['with extension data', authenticator],
    ['without any', createAuthenticator()],
  ])('%s is the assertion, packed as OpenSSH wants it', (_what, one) => {
    for (let i = 0; i < 20; i += 1) {
      const made = one.get(challenge);
      const wanted = { publicKey: one.blob, challenge, origin: one.origin };
      const signature = sshSignatureOf(verified(made, wanted));
      expect(signature).toEqual(packForSsh(made, one.origin));
      expect(verifyIdentitySignature(one.blob, challenge, signature)).toBe(true);
    }
  });
});

describe('a receipt', () => {
  const made = authenticator.get(challenge, { more: ',"new":"member"' });
  const kept = receiptOf(verified(made));

  test('survives the log, and shows that the owner of the passkey was verified', () => {
    const read = readReceipt(JSON.parse(JSON.stringify(kept)));
    expect(read).toEqual({
      publicKey: authenticator.blob.toString('base64'),
      challengeHash: createHash('sha256').update(challenge).digest('hex'),
      clientDataHash: createHash('sha256').update(made.clientDataJSON).digest('hex'),
      origin: authenticator.origin,
      clientDataEnd: ',"crossOrigin":false,"new":"member"}',
      authenticatorData: made.authenticatorData.toString('base64'),
      signature: made.signature.toString('base64'),
    });
    expect(checkReceipt(kept)).toEqual({ ok: true });
  });

  test('is for the bytes that were signed, for who has them, and for no others', () => {
    expect(isReceiptFor(kept, challenge)).toBe(true);
    expect(isReceiptFor(kept, longer(challenge))).toBe(false);
    const other = Buffer.from('another login');
    const challengeHash = createHash('sha256').update(other).digest('hex');
    expect(isReceiptFor({ ...kept, challengeHash }, other)).toBe(false);
    expect(isReceiptFor({ ...kept, clientDataEnd: '}' }, challenge)).toBe(false);
    expect(isReceiptFor({ ...kept, origin: `${kept.origin}0` }, challenge)).toBe(false);
    const stranger = createAuthenticator({ rpId: 'other.local' }).identity;
    expect(isReceiptFor({ ...kept, publicKey: stranger.publicKey }, challenge)).toBe(false);
    expect(isReceiptFor({ ...kept, publicKey: 'AAAA' }, challenge)).toBe(false);
  });

  test.each<[string, Partial<Behaviour>]>([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a frame', { crossOrigin: true }],
  ])('of what %s asked for is for nothing', (_what, behaviour) => {
    const { clientDataJSON, authenticatorData, signature } = authenticator.get(
      challenge,
      behaviour,
    );
    const origin = behaviour.origin ?? kept.origin;
    const forged = {
      ...kept,
      origin,
      clientDataHash: createHash('sha256').update(clientDataJSON).digest('hex'),
      clientDataEnd: clientDataJSON.toString().split(`"${origin}"`)[1] ?? '',
      authenticatorData: authenticatorData.toString('base64'),
      signature: signature.toString('base64'),
    };
    expect(checkReceipt(forged)).toEqual({ ok: true });
    expect(isReceiptFor(forged, challenge)).toBe(false);
  });

  test('does not hold the challenge in any form', () => {
    const text = JSON.stringify(kept);
    for (const form of ['base64url', 'base64', 'hex', 'utf8'] as const) {
      expect(text).not.toContain(challenge.toString(form));
    }
  });

  test.each([
    ['signatureInvalid', { clientDataHash: 'ab'.repeat(32) }],
    ['signatureInvalid', { publicKey: createAuthenticator(authenticator).identity.publicKey }],
    ['signatureMalformed', { signature: 'AAAA' }],
    ['authenticatorDataMalformed', { authenticatorData: 'AAAA' }],
    ['otherRelyingParty', { publicKey: createAuthenticator({ rpId: 'a.b' }).identity.publicKey }],
    ['keyUnreadable', { publicKey: key.publicKey.toString('base64') }],
    [
      'userNotVerified',
      { authenticatorData: flipped(made.authenticatorData, 32, 0x04).toString('base64') },
    ],
  ])('that was changed is refused: %s', (why, change) => {
    expect(checkReceipt({ ...kept, ...change })).toEqual({ ok: false, why });
  });

  test('that is none, or has a member too few, too many or of another type, is not read', () => {
    for (const name of Object.keys(kept)) {
      const { [name]: _, ...without } = kept as Record<string, unknown>;
      expect(readReceipt(without)).toBeNull();
      expect(readReceipt({ ...kept, [name]: 1 })).toBeNull();
    }
    for (const json of [null, [], 'receipt', { ...kept, more: 1 }, { ...kept, signature: '!' }]) {
      expect(readReceipt(json)).toBeNull();
    }
    expect(readReceipt({ ...kept, challengeHash: 'AB'.repeat(32) })).toBeNull();
  });
});
