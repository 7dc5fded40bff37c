/**
 * Keys that a passkey of the phone's page has sealed: what this machine keeps of them. It can open
 * none: that takes the passkey's own secret, and its owner.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { keyFilePath, writeSealedText } from '../../../adapters/keys/key-files.ts';
import { fingerprint } from '../../../adapters/keys/public-key.ts';
import { sealedByPasskey } from '../../../adapters/phone-page/messages.ts';
import type { SealedByPasskey } from '../../../adapters/phone-page/protocol.ts';

const format = 'vmux-sealed-by-passkey';

const bytesOf = (text: string) => Buffer.from(text, 'base64url');

const file = z.strictObject({ format: z.literal(format), ...sealedByPasskey.shape });

/** Whole, durably, beside the keys that a passphrase seals. Rejects with `KeyFileError`. */
export async function writeSealedByPasskey(
  stateDirectory: string,
  sealed: SealedByPasskey,
): Promise<void> {
  const name = fingerprint(bytesOf(sealed.publicKey));
  await writeSealedText(
    stateDirectory,
    name,
    `${JSON.stringify({ format, ...sealed }, null, 2)}\n`,
  );
}

/** `null` when there is none, or it is not the intact one of this fingerprint. */
export function readSealedByPasskey(
  stateDirectory: string,
  keyFingerprint: string,
): SealedByPasskey | null {
  try {
    const text = readFileSync(keyFilePath(stateDirectory, keyFingerprint), 'utf8');
    const { format: _, ...sealed } = file.parse(JSON.parse(text));
    return fingerprint(bytesOf(sealed.publicKey)) === keyFingerprint ? sealed : null;
  } catch {
    return null;
  }
}
