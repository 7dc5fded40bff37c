/** New identities: what the page makes with the person's passkey, and their end. */
import type {
  Created,
  Creation,
  MadeSealedKey,
  PageAction,
} from '../../../../adapters/phone-page/actions.ts';
import type { PhoneState } from '../../../../adapters/phone-page/state.ts';
import type { CreateOutcome, Seal } from '../port.ts';
import { fromBase64url } from './bytes.ts';
import {
  assertOver,
  createCredential,
  NotVerified,
  signalUnknown,
  type NewPasskey,
} from './ceremony.ts';
import { newSalt, newSealedKey } from './sealed-key.ts';
import { forgetSealed, saveSealed } from './store.ts';

type Ask = (action: PageAction) => Promise<unknown>;

/** Milliseconds that a person may take for Face ID, or to find their security key. */
const PATIENCE = 120_000;

export function createIdentities(ask: Ask, persist: () => Promise<void>) {
  const begin = async (kind: 'passkey' | 'sealed', label: string) =>
    (await ask({ do: 'identity.begin', kind, label })) as Creation;

  async function finish(
    { creation }: Creation,
    { made }: NewPasskey,
    sealed: MadeSealedKey | null,
  ): Promise<CreateOutcome> {
    const created = (await ask({ do: 'identity.finish', creation, made, sealed })) as Created;
    await persist();
    return { ok: true, fingerprint: created.fingerprint };
  }

  async function sealWith(creation: Creation, passkey: NewPasskey): Promise<CreateOutcome> {
    const { signal } = new AbortController();
    const salt = newSalt();
    const challenge = fromBase64url(creation.sealingChallenge);
    const options = { signal, timeout: PATIENCE, salt };
    const { assertion, secret } = await assertOver(challenge, passkey.credential, options);
    if (secret === null) return withoutPrf(passkey);
    const { sealed, proof } = await newSealedKey(secret, salt, challenge);
    const outcome = await finish(creation, passkey, { sealed, assertion, proof });
    if (outcome.ok) await saveSealed(outcome.fingerprint, sealed).catch(() => {});
    return outcome;
  }

  return {
    createPasskey: (label: string): Promise<CreateOutcome> =>
      told(async () => {
        const creation = await begin('passkey', label);
        return finish(creation, await createCredential(creation, false), null);
      }),
    beginSealedKey: (label: string): Promise<CreateOutcome | { ok: 'continue'; seal: Seal }> =>
      told(async () => {
        const creation = await begin('sealed', label);
        const passkey = await createCredential(creation, true);
        if (passkey.hasPrf === false) return withoutPrf(passkey);
        return { ok: 'continue' as const, seal: () => told(() => sealWith(creation, passkey)) };
      }),
    async remove(fingerprint: string, state: PhoneState | null): Promise<void> {
      const known = state?.identities.find((one) => one.fingerprint === fingerprint);
      await ask({ do: 'identity.remove', fingerprint });
      await forgetSealed(fingerprint).catch(() => {});
      if (known?.credential) await signalUnknown(known.credential);
    },
  };
}

async function withoutPrf({ credential }: NewPasskey): Promise<CreateOutcome> {
  await signalUnknown(credential);
  return { ok: false, why: 'noPrf', sentence: null };
}

async function told<T>(work: () => Promise<T>): Promise<T | CreateOutcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NotVerified) return { ok: false, why: 'cancelled', sentence: null };
    return { ok: false, why: 'refused', sentence: error instanceof Error ? error.message : null };
  }
}
