/** Codes with which a browser becomes the phone's page: one at a time, once, for two minutes. */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { Append, EventLog } from '../../../adapters/event-log/store.ts';
import { PAIRING_ALPHABET, PAIRING_LENGTH } from '../../../adapters/phone-page/protocol.ts';
import { newBrowser } from './browsers.ts';

/** Milliseconds. */
const LIFETIME = 2 * 60_000;
const MOST_TRIES = 5;

const stream = 'invitation/this-phone';

interface Invited {
  codeHash: string;
  until: number;
}

export type InvitationProblem = 'noInvitation' | 'wrongCode' | 'tooManyTries';

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex');

/** The invitation before it, if any, is void. `now`, `until`: milliseconds since 1970. */
export function invite(log: EventLog, now: number): { code: string; until: number } {
  const code = Array.from(
    { length: PAIRING_LENGTH },
    () => PAIRING_ALPHABET[randomInt(PAIRING_ALPHABET.length)],
  ).join('');
  const until = now + LIFETIME;
  // Its hash only: the log outlives the code, and is nothing that others read meanwhile.
  const data: Invited = { codeHash: hashOf(code), until };
  log.append(stream, 'any', [{ type: 'browser.invited', data }]);
  return { code, until };
}

/** The latest invitation, and what became of it. */
function latest(log: EventLog): { invited: Invited; refused: number; isUsed: boolean } | null {
  let found: ReturnType<typeof latest> = null;
  for (const { type, data } of log.read(stream)) {
    if (type === 'browser.invited') {
      found = { invited: data as unknown as Invited, refused: 0, isUsed: false };
    }
    if (found === null) continue;
    if (type === 'browser.refused') found.refused += 1;
    if (type === 'browser.redeemed' || type === 'browser.disinvited') found.isUsed = true;
  }
  return found;
}

/**
 * Lets a browser in with the right code, which is used up in the same moment; counts the try with a
 * wrong one. Durably, both. `browserId`: of the browser that is paired now.
 */
export function admit(
  log: EventLog,
  code: string,
  browser: { name: string; publicKey: string },
  now: number,
): { browserId: string } | InvitationProblem {
  const found = latest(log);
  if (found === null || found.isUsed || now >= found.invited.until) return 'noInvitation';
  if (found.refused >= MOST_TRIES) return 'tooManyTries';
  if (!timingSafeEqual(Buffer.from(hashOf(code)), Buffer.from(found.invited.codeHash))) {
    log.append(stream, 'any', [{ type: 'browser.refused' }]);
    return 'wrongCode';
  }
  const paired = newBrowser(browser);
  const redeemed: Append = {
    stream,
    expectedVersion: 'any',
    events: [{ type: 'browser.redeemed' }],
  };
  log.appendMany([redeemed, paired.append]);
  return { browserId: paired.id };
}

/** Nobody waits for it any more. */
export function revokeInvitation(log: EventLog): void {
  log.append(stream, 'any', [{ type: 'browser.disinvited' }]);
}

/** Whether the latest invitation still waits for its browser. */
export function isInvitationOpen(log: EventLog, now: number): boolean {
  const found = latest(log);
  return found !== null && !found.isUsed && found.refused < MOST_TRIES && now < found.invited.until;
}
