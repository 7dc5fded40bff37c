/** The words of a sheet, and of its end, at the phone's terminal; some are the page's as well. */
import { failures } from '../../machines/failures.ts';
import type { Answer, Refused, Sheet } from '../../machines/phone/ports.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { destinationWords, isOnlySaid, showHost, wayWords } from './destination-words.ts';

/** Of an SSHSIG. */
export const signatureWords = 'a signature on data that nobody sees here; this is no login';

/** `left`: seconds. `pin`: an approval also pins the host. */
export function sheetLines(sheet: Sheet, left: number, pin: boolean): string[] {
  const device = showForeign(sheet.deviceName, 40);
  const host = sheet.kind === 'sshsig' ? '' : ` → ${showHost(sheet.host) || '(not named)'}`;
  const said = isOnlySaid(sheet.badge) && sheet.host !== '' ? `  (said by ${device})` : '';
  const to = destinationWords(sheet);
  const way = wayWords(sheet);
  const many = sheet.equal === 1 ? '' : `  ×${sheet.equal}`;
  const waiting = sheet.waiting === 0 ? '' : `, ${sheet.waiting} more waiting`;
  return [
    `SSH Sign Request${many}`,
    `  From ${device}${host}${said}`,
    ...(to === null ? [] : [`  to    ${to}`]),
    ...(way === null ? [] : [`  via   ${way}`]),
    sheet.kind === 'sshsig' ? `  for   ${signatureWords}` : `  user  ${showForeign(sheet.user)}`,
    `  key   ${showForeign(sheet.label)}  ${sheet.fingerprint}`,
    ...(sheet.detail === null ? [] : [`  also  ${showForeign(sheet.detail, 160)}`]),
    ...(sheet.code === null ? [] : [`  code  ${sheet.code}  (the same as on ${device})`]),
    ...(sheet.canPin ? [`  pin   ${pinWords(sheet, pin)}`] : []),
    `  ${left} s left${waiting}`,
  ];
}

/** What a host is remembered by. */
export function pinnedAs({ host, port }: Pick<Sheet, 'host' | 'port'>): string {
  const place = port === 22 || port === 0 ? showHost(host) : `${showHost(host)}:${port}`;
  return host === '' ? 'by its key' : `as ${place}`;
}

function pinWords(sheet: Sheet, pin: boolean): string {
  const as = pinnedAs(sheet);
  return pin
    ? `yes, remember this host ${as}  (p + Enter: no)`
    : `no  (p + Enter: remember this host ${as})`;
}

export const endings: Record<Answer['outcome'], string> = {
  signed: 'signed',
  denied: 'denied; nothing was signed',
  expired: 'expired; nothing was signed',
  withdrawn: 'withdrawn; nothing was signed',
  failed: 'refused; nothing was signed',
};

/** What a request was for, in a few words. */
function asked({ kind, user, host, deviceName }: Omit<Refused, 'ref' | 'reason'>): string {
  const at = host === '' ? '' : `@${showHost(host)}`;
  const isSignature = kind === 'sshsig' || user === '';
  const to = isSignature ? 'a signature' : `${showForeign(user)}${at}`;
  return `${to} from ${showForeign(deviceName, 40)}`;
}

export function closingLine(sheet: Sheet, outcome: Answer['outcome']): string {
  const all = outcome === 'denied' && sheet.equal > 1 ? `all ${sheet.equal} ` : '';
  return `${asked(sheet)}: ${all}${endings[outcome]}`;
}

/** Of a request that got no sheet. `null`: the person has heard enough of that device. */
export function refusedLine(refused: Refused): string | null {
  const { reason } = refused;
  if (reason === 'deviceMuted' || reason === 'phoneBusy') return null;
  const why = failures[reason].message.replace(/^The phone refused: /, '').replace(/\.$/, '');
  return `${asked(refused)}: ${endings.failed} (${why})`;
}
