/** The person of this phone: at its terminal, and in its page where one is served. */
import { byPassphrase, verificationPort } from '../../adapters/biometrics/verification.ts';
import type { Person } from './phone.ts';
import { onScreens } from './screens.ts';
import type { TerminalSheet } from './terminal-sheet.ts';
import type { Web } from './web/web.ts';

/** `isApprovedByPage`: of an identity's fingerprint. */
export function personOf(
  sheet: TerminalSheet,
  web: Web | null,
  isApprovedByPage: (fingerprint: string) => boolean,
): Person {
  return {
    sheet: onScreens(web === null ? [sheet.screen] : [sheet.screen, web.screen]),
    biometrics(parts) {
      const atTerminal = byPassphrase(({ ref }) => sheet.takePassphrase(ref), parts);
      const inPage = web?.verify(parts) ?? null;
      return verificationPort((input, signal) => {
        if (inPage !== null && isApprovedByPage(input.fingerprint)) return inPage(input, signal);
        return atTerminal(input, signal);
      });
    },
  };
}
