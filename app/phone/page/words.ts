/** Times and places, in the page's words. */
import type { KeyPlace, PageIdentity } from '../../../adapters/phone-page/state.ts';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** Milliseconds since 1970, all of them here. */
export const timeWords = (at: number) => clock.format(at);
export const dateWords = (at: number) => date.format(at);

const DAY = 24 * 3600 * 1000;

const startOfDay = (at: number) => new Date(at).setHours(0, 0, 0, 0);

export function dayWords(at: number, now: number): string {
  // Days of 23 and 25 hours are days.
  const ago = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (ago === 0) return 'Today';
  return ago === 1 ? 'Yesterday' : dateWords(at);
}

/** Whole minutes until the next day begins. */
export function minutesUntilTomorrow(now: number): number {
  const tomorrow = new Date(now).setHours(24, 0, 0, 0);
  return Math.max(1, Math.ceil((tomorrow - now) / 60_000));
}

const synced = 'copied to your other devices by iCloud Keychain or the like';

export const placeName: Record<KeyPlace, string> = {
  syncedPasskey: 'Synced passkey',
  boundPasskey: 'Hardware-bound passkey',
  securityKey: 'Security key',
  sealedInBrowser: 'Sealed in this browser',
  sealedAtSigner: 'Sealed where signer runs',
};

/** The truth about where the private key is. */
export function placeWords({ place, isPasskeySynced }: PageIdentity): string {
  switch (place) {
    case 'syncedPasskey':
      return `Its key is ${synced}: whoever has one of them unlocked can use it.`;
    case 'boundPasskey':
      return 'Its key cannot leave the device on which it was made. If that is lost, so is the key.';
    case 'securityKey':
      return 'Its key is on a security key of its own, which has to be at hand.';
    case 'sealedInBrowser':
      return `Its key is encrypted here, and opened for one signature at a time by a passkey; signer keeps a copy that is useless without it. ${
        isPasskeySynced
          ? `That passkey is ${synced}.`
          : 'That passkey cannot leave the device on which it was made.'
      }`;
    case 'sealedAtSigner':
      return 'Its key is on the computer that runs signer, encrypted under a passphrase that is typed in the terminal there.';
  }
}
