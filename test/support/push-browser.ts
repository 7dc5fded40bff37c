/** A browser's side of Web Push: its subscription, and what it reads of what comes (RFC 8188, 8291). */
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import type { PushSubscription } from '../../adapters/push/subscription.ts';

export interface PushBrowser {
  readonly subscription: PushSubscription;
  /** The message in a request's body of one record; throws when it is not for this browser. */
  read(body: Uint8Array): string;
}

interface Secrets {
  privateKey: Buffer;
  auth: Buffer;
}

export function createPushBrowser(
  endpoint: string,
  { privateKey, auth }: Secrets = newSecrets(),
): PushBrowser {
  const own = createECDH('prime256v1');
  own.setPrivateKey(privateKey);
  const p256dh = own.getPublicKey();
  return {
    subscription: {
      endpoint,
      keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') },
    },
    read(body) {
      const bytes = Buffer.from(body);
      const salt = bytes.subarray(0, 16);
      const start = 21 + bytes.readUInt8(20);
      const sender = bytes.subarray(21, start);
      const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, sender]);
      const input = hkdf(own.computeSecret(sender), auth, keyInfo, 32);
      const key = hkdf(input, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
      const nonce = hkdf(input, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
      const decipher = createDecipheriv('aes-128-gcm', key, nonce);
      decipher.setAuthTag(bytes.subarray(-16));
      const padded = Buffer.concat([decipher.update(bytes.subarray(start, -16)), decipher.final()]);
      return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
    },
  };
}

function hkdf(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, length));
}

function newSecrets(): Secrets {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return { privateKey: pair.getPrivateKey(), auth: randomBytes(16) };
}
