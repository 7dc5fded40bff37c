/** The sealed keys that this browser keeps, so that it can sign when its signer has lost them. */
import type { SealedByPasskey } from '../../../../adapters/phone-page/protocol.ts';
import { fingerprint, fromBase64url } from './bytes.ts';
import type { SealedCopies } from './ports.ts';
import { eraseStored, readAllStored, writeStored } from './storage.ts';

/**
 * In memory, so that a tap does not wait for them; what changes is written behind. A browser that
 * keeps nothing has none after the next start, and gets them from its signer again.
 */
export async function loadSealedCopies(): Promise<SealedCopies> {
  const copies = new Map<string, SealedByPasskey>();
  for (const one of await readAllStored('sealed').catch(() => [])) {
    const blob = isSealed(one) ? fromBase64url(one.publicKey) : null;
    if (blob !== null) copies.set(await fingerprint(blob), one as SealedByPasskey);
  }
  return {
    find: (keyFingerprint) => copies.get(keyFingerprint) ?? null,
    keep(keyFingerprint, sealed) {
      copies.set(keyFingerprint, sealed);
      writeStored('sealed', keyFingerprint, sealed).catch(() => {});
    },
    drop(keyFingerprint) {
      copies.delete(keyFingerprint);
      eraseStored('sealed', keyFingerprint).catch(() => {});
    },
  };
}

/** Another release may have kept something else. */
function isSealed(one: unknown): one is SealedByPasskey {
  const { publicKey, salt, iv, sealed } = (one ?? {}) as Partial<SealedByPasskey>;
  return [publicKey, salt, iv, sealed].every((member) => typeof member === 'string');
}

/** Of a browser that has none yet. */
export const noSealedCopies = (): SealedCopies => ({
  find: () => null,
  keep: () => {},
  drop: () => {},
});
