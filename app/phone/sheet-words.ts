/** The words of a sheet, and of its end, at the phone's terminal. */
import type { Answer, Sheet } from '../../machines/phone/ports.ts';
import { showForeign } from '../terminal/foreign-text.ts';

/** No host has spaces: one that does could look like lines of the sheet. */
const showHost = (host: string) => showForeign(host.replaceAll(' ', '\u{A0}'), 80);

/** `left`: seconds. */
export function sheetLines(sheet: Sheet, left: number): string[] {
  const device = showForeign(sheet.deviceName, 40);
  const host = showHost(sheet.host) || '(not named)';
  const waiting = sheet.waiting === 0 ? '' : `, ${sheet.waiting} more waiting`;
  return [
    'SSH Sign Request',
    `  From ${device} → ${host}  (said by ${device})`,
    sheet.kind === 'sshsig'
      ? '  for   a signature on data that nobody sees here; this is no login'
      : `  user  ${showForeign(sheet.user)}`,
    `  key   ${showForeign(sheet.label)}  ${sheet.fingerprint}`,
    ...(sheet.detail === null ? [] : [`  also  ${showForeign(sheet.detail, 160)}`]),
    `  ${left} s left${waiting}`,
  ];
}

const endings: Record<Answer['outcome'], string> = {
  signed: 'signed',
  denied: 'denied; nothing was signed',
  expired: 'expired; nothing was signed',
  withdrawn: 'withdrawn; nothing was signed',
  failed: 'refused; nothing was signed',
};

export function closingLine(sheet: Sheet, outcome: Answer['outcome']): string {
  const to =
    sheet.kind === 'sshsig' ? 'a signature' : `${showForeign(sheet.user)}@${showHost(sheet.host)}`;
  return `${to} from ${showForeign(sheet.deviceName, 40)}: ${endings[outcome]}`;
}
