/** The line in which a person answers a sheet at the terminal: what it asks, and what it takes. */
import type { Sheet } from '../../machines/phone/ports.ts';
import { showForeign } from '../terminal/foreign-text.ts';

/** What becomes of what is typed: nothing, a code, an answer, nothing. */
export type Mode = 'settling' | 'matching' | 'accepting' | 'verifying';

/** What is on the screen. */
export interface Shown {
  sheet: Sheet;
  /** When it expires, in milliseconds of the process's monotonic clock. */
  until: number;
  mode: Mode;
  triesLeft: number | null;
  pin: boolean;
  /** Here it can only be denied: the phone's page approves. */
  byPage: boolean;
}

/** Whether a line is only this letter, in either case. */
export const isOnly = (letter: 'd' | 'p', line: Buffer) =>
  line.length === 1 && (line[0]! | 0x20) === letter.charCodeAt(0);

/** Two digits; `null` for anything else, which may be a passphrase and must go nowhere. */
export const codeIn = (line: Buffer) =>
  /^[0-9]{2}$/.test(line.toString('latin1')) ? line.toString() : null;

/** While the page verifies its person, `d` still denies here. */
export const takesInput = (shown: Pick<Shown, 'mode' | 'byPage'> | null) =>
  shown !== null &&
  (shown.mode === 'matching' ||
    shown.mode === 'accepting' ||
    (shown.mode === 'verifying' && shown.byPage));

export function prompt({ mode, triesLeft, sheet, byPage }: Shown, dots: string): string {
  if (mode === 'settling') return '  …';
  if (mode === 'verifying') {
    return byPage ? `  verifying on the phone…  d + Enter denies: ${dots}` : '  verifying…';
  }
  const isCode = mode === 'matching';
  const left = `${triesLeft} ${triesLeft === 1 ? 'try' : 'tries'} left. `;
  const wrong = isCode ? 'wrong code' : byPage ? 'not verified' : 'wrong passphrase';
  const before = triesLeft === null ? '' : `${wrong}, ${left}`;
  if (isCode) {
    return `  ${before}type the code that ${showForeign(sheet.deviceName, 40)} shows, d + Enter denies: ${dots}`;
  }
  return byPage
    ? `  ${before}approve it on the phone, d + Enter denies: ${dots}`
    : `  ${before}passphrase + Enter approves, d + Enter denies: ${dots}`;
}
