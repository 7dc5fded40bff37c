/** The key that this browser is known by. WebCrypto signs with it, and lets it out to nobody. */
import { toBase64url, utf8 } from './bytes.ts';
import { eraseStored, readStored, writeStored } from './storage.ts';

export interface DeviceKey {
  privateKey: CryptoKey;
  /** Raw point, 65 bytes, base64url. */
  publicKey: string;
}

/** This browser, as the signer knows it. */
export interface Device extends DeviceKey {
  browserId: string;
}

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256' };

export async function makeDeviceKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey(ECDSA_P256, false, ['sign', 'verify']);
  const point = await crypto.subtle.exportKey('raw', pair.publicKey);
  return { privateKey: pair.privateKey, publicKey: toBase64url(new Uint8Array(point)) };
}

/** Over the UTF-8 of `text`: r and s of 32 bytes each, base64url. */
export async function signText({ privateKey }: DeviceKey, text: string): Promise<string> {
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, privateKey, utf8(text));
  return toBase64url(new Uint8Array(signature));
}

/** `wasUnpaired`: there was one, until its signer or somebody at it ended that. */
export async function loadDevice(): Promise<{ device: Device | null; wasUnpaired: boolean }> {
  const [device, wasUnpaired] = [await readStored('own', 'device'), await readStored('own', 'end')];
  return { device: (device as Device | undefined) ?? null, wasUnpaired: wasUnpaired === true };
}

export async function keepDevice(device: Device): Promise<void> {
  await writeStored('own', 'device', device);
  await eraseStored('own', 'end');
}

/**
 * The signer does not know it any more: the key is of no use. Another window may have paired this
 * browser anew meanwhile: that key stays.
 */
export async function dropDevice(browserId: string): Promise<void> {
  const { device } = await loadDevice();
  if (device !== null && device.browserId !== browserId) return;
  await eraseStored('own', 'device');
  await writeStored('own', 'end', true);
}
