/**
 * P-256 keys that only a passkey opens: PKCS #8 under AES-256-GCM, its key by HKDF from the
 * passkey's PRF output, the SSH key blob as additional data.
 */
import type { SealedByPasskey } from '../../../../adapters/phone-page/protocol.ts';
import { p256KeyBlob, ECDSA_SHA2_NISTP256 } from '../../../../adapters/wire/identity-key.ts';
import { concatBytes, wireMpint, wireString } from '../../../../adapters/wire/wire-writer.ts';
import { fromBase64url, toBase64url, utf8Bytes } from './bytes.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const info = utf8Bytes('vmux-signer sealed p256 v1');

type Secret = Uint8Array<ArrayBuffer>;

export const newSalt = (): Secret => crypto.getRandomValues(new Uint8Array(32));

/** The cipher's key. Fills `secret` with zeros. */
async function wrappingKey(secret: Secret, salt: Secret): Promise<CryptoKey> {
  try {
    const base = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    return await crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt, info },
      base,
      { name: 'AES-GCM', length: 256 },
      false,
      ['wrapKey', 'unwrapKey'],
    );
  } finally {
    secret.fill(0);
  }
}

/**
 * A new key that leaves this function sealed, with its signature over `challenge` (r and s, 32 bytes
 * each) to show that it is there. `secret` is PRF's output for `salt`, and is zeroed.
 */
export async function newSealedKey(
  secret: Secret,
  salt: Secret,
  challenge: Secret,
): Promise<{ sealed: SealedByPasskey; proof: string }> {
  const wrapping = await wrappingKey(secret, salt);
  const pair = await crypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const publicKey = new Uint8Array(p256KeyBlob(point));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const cipher = { name: 'AES-GCM', iv, additionalData: publicKey };
  const sealed = await crypto.subtle.wrapKey('pkcs8', pair.privateKey, wrapping, cipher);
  const proof = await crypto.subtle.sign(signing, pair.privateKey, challenge);
  return {
    sealed: {
      v: 1,
      publicKey: toBase64url(publicKey),
      salt: toBase64url(salt),
      iv: toBase64url(iv),
      sealed: toBase64url(sealed),
    },
    proof: toBase64url(proof),
  };
}

/**
 * The SSH signature blob of `bytes`: opens the key for this one signature. Rejects when it is not
 * what this passkey sealed. `secret` is zeroed.
 */
export async function signWithSealed(
  record: SealedByPasskey,
  secret: Secret,
  bytes: Secret,
): Promise<string> {
  const wrapping = await wrappingKey(secret, fromBase64url(record.salt));
  const additionalData = fromBase64url(record.publicKey);
  const key = await crypto.subtle.unwrapKey(
    'pkcs8',
    fromBase64url(record.sealed),
    wrapping,
    { name: 'AES-GCM', iv: fromBase64url(record.iv), additionalData },
    ecdsa,
    false,
    ['sign'],
  );
  const rs = new Uint8Array(await crypto.subtle.sign(signing, key, bytes));
  const value = concatBytes(wireMpint(rs.subarray(0, 32)), wireMpint(rs.subarray(32)));
  return toBase64url(concatBytes(wireString(ECDSA_SHA2_NISTP256), wireString(value)));
}
