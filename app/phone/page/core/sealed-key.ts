/**
 * A P-256 key that only its passkey opens: PKCS #8 under AES-256-GCM (NIST SP 800-38D), whose key is
 * HKDF-SHA-256 (RFC 5869) of the passkey's PRF output. Opened for one signature, it is in WebCrypto
 * alone, which does not let it out.
 */
import { ECDSA_SHA2_NISTP256, p256KeyBlob } from '../../../../adapters/wire/identity-key.ts';
import { concatBytes, wireMpint, wireString } from '../../../../adapters/wire/wire-writer.ts';
import type { SealedByPasskey } from '../../../../adapters/phone-page/protocol.ts';
import { fromBase64url, toBase64url, utf8, type Bytes } from './bytes.ts';

const KEY_INFO = utf8('vmux-signer sealed p256 v1');
const SALT_LENGTH = 32;
const IV_LENGTH = 12;

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SHA256_SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

export const newSalt = (): Bytes => crypto.getRandomValues(new Uint8Array(SALT_LENGTH));

/**
 * Makes a key and seals it. `secret`: the PRF output for `salt`; it is overwritten. `proof`: the
 * key's signature over `challenge`, r and s of 32 bytes each. Afterwards nothing here has the key.
 */
export async function sealNewKey(
  secret: Bytes,
  salt: Bytes,
  challenge: Bytes,
): Promise<{ sealed: SealedByPasskey; proof: string }> {
  const wrapping = await wrappingKey(secret, salt);
  const pair = await crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const point = await crypto.subtle.exportKey('raw', pair.publicKey);
  const publicKey = p256KeyBlob(new Uint8Array(point));
  const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH));
  const cipher = gcm(iv, publicKey);
  const sealed = await crypto.subtle.wrapKey('pkcs8', pair.privateKey, wrapping, cipher);
  const proof = await crypto.subtle.sign(SHA256_SIGNATURE, pair.privateKey, challenge);
  return {
    sealed: {
      v: 1,
      publicKey: toBase64url(publicKey),
      salt: toBase64url(salt),
      iv: toBase64url(iv),
      sealed: toBase64url(new Uint8Array(sealed)),
    },
    proof: toBase64url(new Uint8Array(proof)),
  };
}

/** What is needed to seal or open; `null`: no sealed key of this version. */
export function readSealed(record: SealedByPasskey): {
  publicKey: Bytes;
  salt: Bytes;
  iv: Bytes;
  sealed: Bytes;
} | null {
  const publicKey = fromBase64url(record.publicKey);
  const salt = fromBase64url(record.salt);
  const iv = fromBase64url(record.iv);
  const sealed = fromBase64url(record.sealed);
  if (record.v !== 1 || publicKey === null || sealed === null) return null;
  if (salt?.length !== SALT_LENGTH || iv?.length !== IV_LENGTH) return null;
  return { publicKey, salt, iv, sealed };
}

/**
 * The SSH signature blob (RFC 5656 §3.1.2) over `bytes`. `secret`: the PRF output for the record's
 * salt; it is overwritten. `null`: the record is damaged, or sealed under another secret.
 */
export async function signSealed(
  record: SealedByPasskey,
  secret: Bytes,
  bytes: Bytes,
): Promise<Bytes | null> {
  const read = readSealed(record);
  if (read === null) {
    secret.fill(0);
    return null;
  }
  const { publicKey, salt, iv, sealed } = read;
  const wrapping = await wrappingKey(secret, salt);
  const cipher = gcm(iv, publicKey);
  const subtle = crypto.subtle;
  try {
    const key = await subtle.unwrapKey('pkcs8', sealed, wrapping, cipher, P256, false, ['sign']);
    return sshSignature(new Uint8Array(await subtle.sign(SHA256_SIGNATURE, key, bytes)));
  } catch {
    return null;
  }
}

async function wrappingKey(secret: Bytes, salt: Bytes) {
  try {
    const input = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
    return await crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt, info: KEY_INFO },
      input,
      { name: 'AES-GCM', length: 256 },
      false,
      ['wrapKey', 'unwrapKey'],
    );
  } finally {
    secret.fill(0);
  }
}

const gcm = (iv: Bytes, publicKey: Bytes) => ({ name: 'AES-GCM', iv, additionalData: publicKey });

/** `string type, string (mpint r, mpint s)` of r and s of 32 bytes each. */
function sshSignature(raw: Bytes): Bytes {
  const numbers = concatBytes(wireMpint(raw.subarray(0, 32)), wireMpint(raw.subarray(32)));
  return concatBytes(wireString(ECDSA_SHA2_NISTP256), wireString(numbers));
}
