/** Passkeys, and what is signed with them, for the tests of `adapters/webauthn`. */
import { Buffer } from 'node:buffer';
import { createAuthenticator } from '../support/authenticator.ts';

export const authenticator = createAuthenticator({ hmacSecret: true });

export const challenge = Buffer.from('the bytes of a login, every one of them');

export const expected = {
  publicKey: authenticator.blob,
  challenge,
  origin: authenticator.origin,
};

/** A copy with the bits of `mask` turned over at `at`. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

export const longer = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.of(0)]);

/** Everything that `bytes` begin with, but not all of them. */
export function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let end = 0; end < bytes.length; end += 1) yield bytes.subarray(0, end);
}
