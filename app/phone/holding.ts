/** Where an identity's private key is, and who can bring it to sign. */
import type { Credential } from '../../adapters/phone-page/protocol.ts';

export type Holding =
  /** In a file of this signer, sealed under a passphrase. */
  | { by: 'passphrase' }
  /** It is a passkey of the phone's page. */
  | { by: 'passkey'; passkey: HeldPasskey }
  /** Sealed under a passkey of the phone's page, which signs nothing else. */
  | { by: 'sealed'; passkey: HeldPasskey };

/** A passkey, as the page described it when it was made. */
export interface HeldPasskey {
  credential: Credential;
  /** Its SSH key blob, base64. */
  publicKey: string;
  /** Of the page. */
  origin: string;
  /** It can leave the device: a synced passkey. */
  isSyncable: boolean;
  /** `cross-platform`: a security key, or another phone. `null`: the browser did not say. */
  attachment: 'platform' | 'cross-platform' | null;
}

/** In a few words, for a list. */
export function placeWords(holding: Holding): string {
  if (holding.by === 'passphrase') return 'sealed on this device';
  if (holding.by === 'sealed') return 'sealed under a passkey in the phone’s browser';
  const { isSyncable, attachment } = holding.passkey;
  if (isSyncable) return 'synced passkey of the phone’s page';
  return attachment === 'cross-platform' ? 'passkey on a security key' : 'hardware-bound passkey';
}
