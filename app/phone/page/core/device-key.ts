/** The device key: what this browser is known by at its signer. */
import { toBase64url, utf8Bytes } from './bytes.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** WebCrypto does not let the private half out. */
export const newDeviceKeys = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);

/** The raw point, base64url. */
export const publicKeyOf = async ({ publicKey }: CryptoKeyPair): Promise<string> =>
  toBase64url(await crypto.subtle.exportKey('raw', publicKey));

/** r and s of 32 bytes each, base64url. */
export const signText = async ({ privateKey }: CryptoKeyPair, text: string): Promise<string> =>
  toBase64url(await crypto.subtle.sign(signing, privateKey, utf8Bytes(text)));
