/** The line in which a person answers a sheet at the terminal: what it asks, and what it takes. */
import type { Sheet } from '../../machines/phone/ports.ts';
import { showForeign } from '../terminal/foreign-text.ts';

/** What becomes of what is typed: nothing, a code, an answer, nothing. */
export type Mode = 'settling' | 'matching' | 'accepting' | 'verifying';

/**
 * Where its person approves a request: here, in the phone's page, or not now, since its page is not
 * served or is one of another name.
 */
export type ApprovedAt = 'terminal' | 'page' | 'noPage' | 'otherPage';

/** What is on the screen. */
export interface Shown {
  sheet: Sheet;
  /** When it expires, in milliseconds of the process's monotonic clock. */
  until: number;
  mode: Mode;
  triesLeft: number | null;
  pin: boolean;
  /** Where that is not here, it can only be denied here. */
  approvedAt: ApprovedAt;
}

/** Whether a line is only this letter, in either case. */
export const isOnly = (letter: 'd' | 'p', line: Buffer) =>
  line.length === 1 && (line[0]! | 0x20) === letter.charCodeAt(0);

/** Two digits; `null` for anything else, which may be a passphrase and must go nowhere. */
export const codeIn = (line: Buffer) =>
  /^[0-9]{2}$/.test(line.toString('latin1')) ? line.toString() : null;

/** While the page verifies its person, `d` still denies here. */
export const takesInput = (shown: Pick<Shown, 'mode' | 'approvedAt'> | null) =>
  shown !== null &&
  (shown.mode === 'matching' ||
    shown.mode === 'accepting' ||
    (shown.mode === 'verifying' && shown.approvedAt === 'page'));

const approvals: Record<ApprovedAt, string> = {
  terminal: 'passphrase + Enter approves',
  page: 'approve it on the phone',
  noPage: 'only the phone’s page can approve it: signer start --web',
  otherPage: 'its passkey belongs to the page of another name: not to be approved here',
};

export function prompt({ mode, triesLeft, sheet, approvedAt }: Shown, dots: string): string {
  if (mode === 'settling') return '  …';
  if (mode === 'verifying') {
    return approvedAt === 'page'
      ? `  verifying on the phone…  d + Enter denies: ${dots}`
      : '  verifying…';
  }
  const isCode = mode === 'matching';
  const left = `${triesLeft} ${triesLeft === 1 ? 'try' : 'tries'} left. `;
  const wrong = isCode ? 'wrong code' : approvedAt === 'page' ? 'not verified' : 'wrong passphrase';
  const before = triesLeft === null ? '' : `${wrong}, ${left}`;
  if (isCode) {
    return `  ${before}type the code that ${showForeign(sheet.deviceName, 40)} shows, d + Enter denies: ${dots}`;
  }
  return `  ${before}${approvals[approvedAt]}, d + Enter denies: ${dots}`;
}
