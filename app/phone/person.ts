/** The person of this phone: at its terminal, and in its page where one is served. */
import { byPassphrase, verificationPort } from '../../adapters/biometrics/verification.ts';
import type { Person } from './phone.ts';
import type { ApprovedAt } from './sheet-prompt.ts';
import { onScreens } from './screens.ts';
import type { TerminalSheet } from './terminal-sheet.ts';
import type { Web } from './web/web.ts';

/** `approvedAt`: for an identity's fingerprint. */
export function personOf(
  sheet: TerminalSheet,
  web: Web | null,
  approvedAt: (fingerprint: string) => ApprovedAt,
): Person {
  return {
    sheet: onScreens(web === null ? [sheet.screen] : [sheet.screen, web.screen]),
    biometrics(parts) {
      const atTerminal = byPassphrase(({ ref }) => sheet.takePassphrase(ref), parts);
      const inPage = web?.verify(parts) ?? null;
      return verificationPort(async (input, signal) => {
        const where = approvedAt(input.fingerprint);
        if (where === 'terminal') return atTerminal(input, signal);
        if (where === 'page' && inPage !== null) return inPage(input, signal);
        // No screen takes an approval of such a request.
        return { verdict: 'refused' };
      });
    },
  };
}
