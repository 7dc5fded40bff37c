/** The code with which a browser becomes the phone's page, and the wait until it has. */
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { say } from '../../terminal/say.ts';
import { Trouble } from '../../trouble.ts';
import { watchLog } from '../../watch-log.ts';
import { pairedBrowsers } from './browsers.ts';
import { invite, isInvitationOpen, revokeInvitation } from './invitation.ts';

const LOOK_PERIOD = 500;

/**
 * Shows a code and waits until a browser was paired with it. Resolves with the browser's name;
 * `null`: the code was not used in time, or guessed at too often. @throws {Trouble} `cancelled`
 */
export async function awaitPairing(
  log: EventLog,
  interrupted: AbortSignal,
): Promise<string | null> {
  const known = new Set(pairedBrowsers(log).map(({ id }) => id));
  const { code } = invite(log, Date.now());
  say(`\n    ${code.slice(0, 4)}-${code.slice(4)}\n`);
  say('type it into the page on your phone. it is good for two minutes, and once');
  const paired = await new Promise<string | null>((resolve) => {
    const look = () => {
      const found = pairedBrowsers(log).find(({ id }) => !known.has(id));
      if (found !== undefined) return end(found.name);
      if (!isInvitationOpen(log, Date.now()) || interrupted.aborted) end(null);
    };
    const stop = watchLog(log, look);
    const timer = setInterval(look, LOOK_PERIOD);
    interrupted.addEventListener('abort', look, { once: true });
    function end(name: string | null): void {
      stop();
      clearInterval(timer);
      resolve(name);
    }
    look();
  });
  if (paired === null && interrupted.aborted) {
    revokeInvitation(log);
    throw new Trouble('cancelled');
  }
  return paired === null ? null : showForeign(paired);
}
