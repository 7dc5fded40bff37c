/** A new passkey, as the page hands it over (WebAuthn Level 2 §7.1). */
import type { Buffer } from 'node:buffer';
import { clientDataProblem, type ClientDataProblem } from '../wire/client-data.ts';
import { isOriginOf } from '../wire/relying-party.ts';
import { readAuthenticatorData } from './authenticator-data.ts';
import { sha256 } from './assertion.ts';
import { passkeyBlob } from './cose-key.ts';

/** Of an AuthenticatorAttestationResponse; its attestation is not asked for. */
export interface Registration {
  clientDataJSON: Uint8Array;
  authenticatorData: Uint8Array;
}

export interface ExpectedRegistration {
  challenge: Uint8Array;
  rpId: string;
  origin: string;
}

export interface NewPasskey {
  ok: true;
  credentialId: Uint8Array;
  /** The SSH key blob. */
  publicKey: Buffer;
  aaguid: Uint8Array;
  /** It can leave the device: a synced passkey. */
  isSyncable: boolean;
}

export type RegistrationProblem =
  | ClientDataProblem
  | 'originNotOfRelyingParty'
  | 'authenticatorDataMalformed'
  | 'otherRelyingParty'
  | 'userNotVerified'
  | 'noCredential';

/**
 * The passkey, if the person was verified when it was made. That somebody holds its private key is
 * not proven by this, nor is what kind of device it is: that is the page's word.
 */
export function readRegistration(
  { clientDataJSON, authenticatorData }: Registration,
  { challenge, rpId, origin }: ExpectedRegistration,
): NewPasskey | { ok: false; why: RegistrationProblem } {
  const refuse = (why: RegistrationProblem) => ({ ok: false, why }) as const;
  if (!isOriginOf(origin, rpId)) return refuse('originNotOfRelyingParty');
  const problem = clientDataProblem(clientDataJSON, { type: 'webauthn.create', challenge, origin });
  if (problem !== null) return refuse(problem);
  const data = readAuthenticatorData(authenticatorData);
  if (data === null) return refuse('authenticatorDataMalformed');
  if (!sha256(rpId).equals(data.rpIdHash)) return refuse('otherRelyingParty');
  if (!data.userPresent || !data.userVerified) return refuse('userNotVerified');
  if (data.credential === null) return refuse('noCredential');
  const { id, point, aaguid } = data.credential;
  return {
    ok: true,
    credentialId: id,
    publicKey: passkeyBlob(point, rpId),
    aaguid,
    isSyncable: data.backupEligible,
  };
}
