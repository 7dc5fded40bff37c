/** The key pair by which push services know a signer again: VAPID, RFC 8292. */
import { Buffer } from 'node:buffer';
import { createECDH } from 'node:crypto';
import { z } from 'zod';

/** P-256, base64url without padding. A browser ties its subscription to the public one. */
export interface VapidKeys {
  /** Raw point, 65 bytes. */
  publicKey: string;
  /** 32 bytes. */
  privateKey: string;
}

const schema = z.strictObject({ publicKey: z.string(), privateKey: z.string() });

export function createVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return keysOf(pair.getPrivateKey());
}

/** `null` unless it is a pair of keys that belong together. */
export function readVapidKeys(json: unknown): VapidKeys | null {
  const { success, data } = schema.safeParse(json);
  if (!success) return null;
  try {
    const keys = keysOf(Buffer.from(data.privateKey, 'base64url'));
    const isPair = keys.publicKey === data.publicKey && keys.privateKey === data.privateKey;
    return isPair ? keys : null;
  } catch {
    return null;
  }
}

/** Throws when it is no private key of the curve. */
function keysOf(privateKey: Buffer): VapidKeys {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(privateKey);
  // Node leaves leading zero bytes out.
  const whole = Buffer.alloc(32);
  pair.getPrivateKey().copy(whole, 32 - pair.getPrivateKey().length);
  return {
    publicKey: pair.getPublicKey().toString('base64url'),
    privateKey: whole.toString('base64url'),
  };
}
