/** New identities: a passkey, or a key that is sealed under one. */
import type {
  Created,
  Creation,
  MadeSealedKey,
  PageAction,
} from '../../../../adapters/phone-page/actions.ts';
import type { CreateOutcome, Phone, Sealing } from '../port.ts';
import { Refused } from './asks.ts';
import { fromBase64url } from './bytes.ts';
import { assertOver, forgetPasskey, makePasskey, type NewPasskey } from './ceremony.ts';
import type { SealedCopies } from './ports.ts';
import { newSalt, sealNewKey } from './sealed-key.ts';

export interface CreationsParts {
  ask(action: PageAction): Promise<unknown>;
  copies(): SealedCopies;
  /** There is something now that should not get lost. */
  made(): void;
}

/** Milliseconds for the second tap's verification. */
const SEALING_TIME = 2 * 60_000;

const cancelled: CreateOutcome = { ok: false, why: 'cancelled', sentence: null };
const noPrf: CreateOutcome = { ok: false, why: 'noPrf', sentence: null };
const refused = (error: unknown): CreateOutcome => ({
  ok: false,
  why: 'refused',
  sentence: error instanceof Error ? error.message : null,
});

export function createCreations(parts: CreationsParts) {
  async function begin(kind: 'passkey' | 'sealed', label: string): Promise<Creation> {
    return (await parts.ask({ do: 'identity.begin', kind, label })) as Creation;
  }

  async function finish(
    { creation }: Creation,
    { made, credential }: NewPasskey,
    sealed: MadeSealedKey | null,
  ): Promise<CreateOutcome> {
    try {
      const finished = await parts.ask({ do: 'identity.finish', creation, made, sealed });
      const { fingerprint } = finished as Created;
      if (sealed !== null) parts.copies().keep(fingerprint, sealed.sealed);
      parts.made();
      return { ok: true, fingerprint };
    } catch (error) {
      // Where no answer came, the signer may have taken it: then the passkey is needed.
      if (error instanceof Refused) await forgetPasskey(credential);
      return refused(error);
    }
  }

  function sealingOf(creation: Creation, passkey: NewPasskey): Sealing {
    let isOver = false;

    async function giveUp(): Promise<boolean> {
      if (isOver) return true;
      isOver = true;
      return forgetPasskey(passkey.credential);
    }

    async function seal(): Promise<CreateOutcome> {
      const challenge = fromBase64url(creation.sealingChallenge);
      if (challenge === null) return cancelled;
      const salt = newSalt();
      const signal = AbortSignal.timeout(SEALING_TIME);
      const ceremony = { signal, timeout: SEALING_TIME, salt };
      const asserted = await assertOver(challenge, passkey.credential, ceremony);
      if (asserted === null || isOver) {
        asserted?.secret?.fill(0);
        return cancelled;
      }
      const { assertion, secret } = asserted;
      if (secret === null) {
        await giveUp();
        return noPrf;
      }
      const { sealed, proof } = await sealNewKey(secret, salt, challenge);
      if (isOver) return cancelled;
      isOver = true;
      return finish(creation, passkey, { sealed, assertion, proof });
    }

    return { seal, giveUp };
  }

  async function make(
    kind: 'passkey' | 'sealed',
    label: string,
  ): Promise<{ creation: Creation; passkey: NewPasskey } | CreateOutcome> {
    let creation: Creation;
    try {
      creation = await begin(kind, label);
    } catch (error) {
      return refused(error);
    }
    const passkey = await makePasskey(creation, kind === 'sealed');
    return passkey === null ? cancelled : { creation, passkey };
  }

  return {
    async createPasskey(label: string): Promise<CreateOutcome> {
      const made = await make('passkey', label);
      return 'ok' in made ? made : finish(made.creation, made.passkey, null);
    },
    async beginSealedKey(label: string): ReturnType<Phone['beginSealedKey']> {
      const made = await make('sealed', label);
      if ('ok' in made) return made;
      const { creation, passkey } = made;
      if (passkey.hasPrf) return { ok: 'continue', sealing: sealingOf(creation, passkey) };
      await forgetPasskey(passkey.credential);
      return noPrf;
    },
  };
}
