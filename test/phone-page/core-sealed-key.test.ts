import { Buffer } from 'node:buffer';
import { createHash, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { readPublicKey } from '../../adapters/keys/public-key.ts';
import { sealedByPasskey } from '../../adapters/phone-page/messages.ts';
import type { SealedByPasskey } from '../../adapters/phone-page/protocol.ts';
import {
  newSalt,
  readSealed,
  sealNewKey,
  signSealed,
} from '../../app/phone/page/core/sealed-key.ts';
import { hostboundLogin } from '../adapters/keys-examples.ts';

/** What a passkey's PRF gives: the same for the same salt. */
const prf = (of: string) => Uint8Array.from(createHash('sha256').update(of).digest());
const bytes = Uint8Array.from(hostboundLogin());
const challenge = Uint8Array.from(Buffer.from('sealing'));

const make = () => sealNewKey(prf('face'), newSalt(), challenge);

/** With the first byte of one field changed. */
function damaged(sealed: SealedByPasskey, field: 'publicKey' | 'salt' | 'iv' | 'sealed') {
  const changed = Buffer.from(sealed[field], 'base64url');
  changed[0]! ^= 1;
  return { ...sealed, [field]: changed.toString('base64url') };
}

describe('a key that is sealed under a passkey', () => {
  test('signs with the passkey’s secret, as signer and ssh want it', async () => {
    const { sealed } = await make();
    expect(sealedByPasskey.parse(sealed)).toEqual(sealed);
    for (let round = 0; round < 20; round += 1) {
      const signature = await signSealed(sealed, prf('face'), bytes);
      const publicKey = Buffer.from(sealed.publicKey, 'base64url');
      expect(verifyIdentitySignature(publicKey, bytes, signature!)).toBe(true);
    }
  });

  test('proves that whoever sealed it has it', async () => {
    const { sealed, proof } = await make();
    const key = readPublicKey(Buffer.from(sealed.publicKey, 'base64url'))!;
    const signature = Buffer.from(proof, 'base64url');
    expect(verify('sha256', challenge, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  test('leaves nothing of the secret where it was', async () => {
    const [sealing, opening, refused, unread] = [prf('face'), prf('face'), prf('no'), prf('face')];
    const { sealed } = await sealNewKey(sealing, newSalt(), challenge);
    await signSealed(sealed, opening, bytes);
    await signSealed(sealed, refused, bytes);
    await signSealed({ ...sealed, iv: '' }, unread, bytes);
    for (const secret of [sealing, opening, refused, unread]) {
      expect(secret).toEqual(new Uint8Array(32));
    }
  });

  test('does not open with another secret', async () => {
    const { sealed } = await make();
    expect(await signSealed(sealed, prf('another face'), bytes)).toBeNull();
  });

  test.each(['publicKey', 'salt', 'iv', 'sealed'] as const)(
    'does not open when its %s was changed',
    async (field) => {
      const { sealed } = await make();
      expect(await signSealed(damaged(sealed, field), prf('face'), bytes)).toBeNull();
    },
  );

  test('is read only in its one form', async () => {
    const { sealed } = await make();
    expect(readSealed(sealed)).not.toBeNull();
    expect(readSealed({ ...sealed, v: 2 as 1 })).toBeNull();
    expect(readSealed({ ...sealed, salt: sealed.iv })).toBeNull();
    expect(readSealed({ ...sealed, iv: sealed.salt })).toBeNull();
    expect(readSealed({ ...sealed, sealed: `${sealed.sealed}=` })).toBeNull();
  });

  test('is another one each time', async () => {
    const [one, two] = [await make(), await make()];
    expect(one.sealed.publicKey).not.toBe(two.sealed.publicKey);
    expect(one.sealed.iv).not.toBe(two.sealed.iv);
  });
});
