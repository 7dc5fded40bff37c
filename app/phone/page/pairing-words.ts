/** A pairing code as people type it, what a browser is called, and why pairing did not work. */
import { PAIRING_ALPHABET, PAIRING_LENGTH } from '../../../adapters/phone-page/protocol.ts';
import type { Abilities, PairOutcome } from './port.ts';

/** Crockford's way: case, spaces and hyphens do not matter, O is 0, I and L are 1. */
export function tidyCode(typed: string): string {
  const read = typed.toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return [...read]
    .filter((one) => PAIRING_ALPHABET.includes(one))
    .join('')
    .slice(0, PAIRING_LENGTH);
}

const browsers = [
  ['Edg', 'Edge'],
  ['Firefox', 'Firefox'],
  ['Chrome', 'Chrome'],
  ['Safari', 'Safari'],
] as const;
const systems = ['Android', 'Windows', 'Macintosh', 'CrOS', 'Linux'] as const;

/** What its person would call it: "iPhone", "Chrome on Linux". */
export function nameOfBrowser(userAgent: string, { isAppleTouch }: Abilities): string {
  if (isAppleTouch) return userAgent.includes('iPhone') ? 'iPhone' : 'iPad';
  const [, browser = 'Browser'] = browsers.find(([mark]) => userAgent.includes(mark)) ?? [];
  const system = systems.find((mark) => userAgent.includes(mark));
  if (system === undefined) return browser;
  return `${browser} on ${system === 'Macintosh' ? 'Mac' : system === 'CrOS' ? 'ChromeOS' : system}`;
}

export const pairProblems: Record<Exclude<PairOutcome, 'paired'>, string> = {
  noInvitation:
    'No code is open now: it was used, or is older than two minutes. Run "signer web setup" again.',
  wrongCode: 'That is not the code. Look at the terminal again.',
  tooManyTries: 'Too many wrong codes: that one is void. Run "signer web setup" again.',
  unpaired: 'signer does not know this browser. Run "signer web setup" again.',
  staleNonce: 'That took too long. Try again.',
  malformed: 'signer could not read what this page sent. Load the page anew and try again.',
  tooLarge: 'signer could not read what this page sent. Load the page anew and try again.',
  forbidden: 'signer does not answer at this address. Open the very address that it shows.',
  notFound: 'There is no signer at this address. Open the very address that it shows.',
  unreachable:
    'signer cannot be reached. It has to run, and this phone has to be on the same network.',
};
