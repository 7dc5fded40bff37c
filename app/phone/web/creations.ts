/** New identities of the phone's page: what it is asked to make, and whether it made that. */
import { Buffer } from 'node:buffer';
import { randomBytes, randomUUID, verify } from 'node:crypto';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { publicIdentity, readPublicKey } from '../../../adapters/keys/public-key.ts';
import { writeSealedByPasskey } from './sealed-copies.ts';
import type {
  Created,
  Creation,
  MadePasskey,
  MadeSealedKey,
} from '../../../adapters/phone-page/actions.ts';
import type { PageAssertion } from '../../../adapters/phone-page/protocol.ts';
import { verifyAssertion } from '../../../adapters/webauthn/assertion.ts';
import { readRegistration, type NewPasskey } from '../../../adapters/webauthn/registration.ts';
import { WrongUsage } from '../../trouble.ts';
import { checkNewLabel } from '../create-identity.ts';
import type { HeldPasskey } from '../holding.ts';
import { addIdentity } from '../records.ts';

export interface CreationsParts {
  home: string;
  log: EventLog;
  origin: string;
  rpId: string;
}

interface Begun {
  kind: 'passkey' | 'sealed';
  label: string;
  browserId: string;
  challenge: Buffer;
  sealingChallenge: Buffer;
  /** Milliseconds of the process's monotonic clock. */
  until: number;
}

/** A person may have to look for their security key. Milliseconds. */
const LIFETIME = 10 * 60_000;
const MOST = 16;

export function createCreations({ home, log, origin, rpId }: CreationsParts) {
  const begun = new Map<string, Begun>();

  function forgetOld(): void {
    for (const [id, { until }] of begun) if (until <= performance.now()) begun.delete(id);
    for (const id of begun.keys()) if (begun.size >= MOST) begun.delete(id);
  }

  /** Once: whatever comes of it, it has to be begun again. */
  function take(creation: string, browserId: string): Begun {
    forgetOld();
    const found = begun.get(creation);
    begun.delete(creation);
    if (found === undefined || found.browserId !== browserId) {
      throw new WrongUsage('that took too long; begin again');
    }
    return found;
  }

  function passkeyOf({ challenge }: Begun, made: MadePasskey): NewPasskey {
    const registration = {
      clientDataJSON: bytes(made.clientDataJSON),
      authenticatorData: bytes(made.authenticatorData),
    };
    const read = readRegistration(registration, { challenge, rpId, origin });
    if (!read.ok) throw new WrongUsage(`the new passkey is of no use here: ${read.why}`);
    return read;
  }

  const heldOf = (passkey: NewPasskey, { transports, attachment }: MadePasskey): HeldPasskey => ({
    credential: { id: base64url(passkey.credentialId), transports, rpId },
    publicKey: passkey.publicKey.toString('base64'),
    origin,
    isSyncable: passkey.isSyncable,
    attachment,
  });

  /** Whether the new passkey's owner sealed a key that they have. */
  function checkSealed(
    { sealingChallenge: challenge }: Begun,
    passkey: NewPasskey,
    { sealed, assertion, proof }: MadeSealedKey,
  ): Buffer {
    const publicKey = bytes(sealed.publicKey);
    const key = readPublicKey(publicKey);
    const isSame = assertion.credentialId === base64url(passkey.credentialId);
    const verified = verifyAssertion(assertionOf(assertion), {
      publicKey: passkey.publicKey,
      challenge,
      origin,
    });
    const isHeld =
      key !== null && verify('sha256', challenge, { key, dsaEncoding: 'ieee-p1363' }, bytes(proof));
    if (!isSame || !verified.ok || !isHeld) {
      throw new WrongUsage('the new key was not sealed by its passkey; begin again');
    }
    return publicKey;
  }

  return {
    begin(kind: Begun['kind'], label: string, browserId: string): Creation {
      checkNewLabel(log, label);
      forgetOld();
      const creation = randomUUID();
      const [challenge, sealingChallenge] = [randomBytes(32), randomBytes(32)];
      const until = performance.now() + LIFETIME;
      begun.set(creation, { kind, label, browserId, challenge, sealingChallenge, until });
      return {
        creation,
        rpId,
        challenge: base64url(challenge),
        userId: base64url(randomBytes(32)),
        userName: label,
        sealingChallenge: base64url(sealingChallenge),
      };
    },
    async finish(
      creation: string,
      made: MadePasskey,
      sealed: MadeSealedKey | null,
      browserId: string,
    ): Promise<Created> {
      const asked = take(creation, browserId);
      checkNewLabel(log, asked.label);
      const passkey = passkeyOf(asked, made);
      const held = heldOf(passkey, made);
      if ((asked.kind === 'sealed') !== (sealed !== null)) {
        throw new WrongUsage('that is not what was begun');
      }
      const publicKey = sealed === null ? passkey.publicKey : checkSealed(asked, passkey, sealed);
      const identity = publicIdentity(publicKey, asked.label);
      if (sealed !== null) await writeSealedByPasskey(home, sealed.sealed);
      addIdentity(log, identity, { by: asked.kind, passkey: held });
      return { fingerprint: identity.fingerprint };
    },
  };
}

const bytes = (text: string) => Buffer.from(text, 'base64url');
const base64url = (from: Uint8Array) => Buffer.from(from).toString('base64url');

const assertionOf = ({ clientDataJSON, authenticatorData, signature }: PageAssertion) => ({
  clientDataJSON: bytes(clientDataJSON),
  authenticatorData: bytes(authenticatorData),
  signature: bytes(signature),
});
