/** A key of the demo's own, sealed on the demo's phone as `signer identity create` does it. */
import { writeKeyFile } from '../../adapters/keys/key-files.ts';
import { publicIdentity } from '../../adapters/keys/public-key.ts';
import { createSealedKey } from '../../adapters/keys/sealed-key.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { addIdentity } from '../phone/records.ts';
import type { Running } from '../running.ts';

const LABEL = 'demo';

/** `passphrase` is zeroed here. */
export async function createDemoIdentity(
  phone: Running,
  passphrase: Buffer,
): Promise<PublicIdentity> {
  try {
    const sealed = await createSealedKey(passphrase);
    const identity = publicIdentity(Buffer.from(sealed.publicKey, 'base64'), LABEL);
    await writeKeyFile(phone.home, sealed);
    addIdentity(phone.log, identity);
    return identity;
  } finally {
    passphrase.fill(0);
  }
}
