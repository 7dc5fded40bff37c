/** Codes with which a browser becomes the phone's page: one at a time, once, for two minutes. */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { PAIRING_ALPHABET, PAIRING_LENGTH } from '../../../adapters/phone-page/protocol.ts';

/** Milliseconds. */
const LIFETIME = 2 * 60_000;
const MOST_TRIES = 5;

const stream = 'invitation/this-phone';

interface Invited {
  codeHash: string;
  until: number;
}

export type Redeemed = 'ok' | 'noInvitation' | 'wrongCode' | 'tooManyTries';

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
    if (type === 'browser.redeemed') found.isUsed = true;
  }
  return found;
}

/** Uses it up when it is the right one; counts the try when not, durably. */
export function redeemInvitation(log: EventLog, code: string, now: number): Redeemed {
  const found = latest(log);
  if (found === null || found.isUsed || now >= found.invited.until) return 'noInvitation';
  if (found.refused >= MOST_TRIES) return 'tooManyTries';
  const isIt = timingSafeEqual(Buffer.from(hashOf(code)), Buffer.from(found.invited.codeHash));
  log.append(stream, 'any', [{ type: isIt ? 'browser.redeemed' : 'browser.refused' }]);
  return isIt ? 'ok' : 'wrongCode';
}

/** Whether the latest invitation still waits for its browser. */
export function isInvitationOpen(log: EventLog, now: number): boolean {
  const found = latest(log);
  return found !== null && !found.isUsed && found.refused < MOST_TRIES && now < found.invited.until;
}
