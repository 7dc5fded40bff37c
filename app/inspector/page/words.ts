/** How the page says things. */
import type { Device, EventRow, FlowSummary, Opening } from '../protocol.ts';

/** An event's type as a chart writes it: `after signerTimeout`, `done keys`. */
export function eventWord(type: string): string {
  if (type === 'xstate.init') return 'begins';
  const after = /^xstate\.after\.([^.]+)\./.exec(type);
  if (after) return `after ${after[1]}`;
  const ofActor = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type);
  return ofActor ? `${ofActor[1]} ${ofActor[2]}` : type;
}

/** `awaitingFaceId` of a whole state value: `session › awaitingSigner › awaitingFaceId`. */
export function stateWords(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return 'not begun';
  return Object.entries(value)
    .map(([name, below]) => {
      const rest = stateWords(below);
      return rest === 'not begun' ? name : `${name} › ${rest}`;
    })
    .join('  ·  ');
}

/** `+0.412 s` */
export function sinceStart(at: number, start: number): string {
  const seconds = (at - start) / 1000;
  if (seconds < 60) return `+${seconds.toFixed(3)} s`;
  const minutes = Math.floor(seconds / 60);
  return `+${minutes}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}

export const clockTime = (at: number) =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });

/** `7.4 s` left of a clock at a moment; never below nothing. */
export function secondsLeft(since: number | null, milliseconds: number, now: number): string {
  const left = since === null ? milliseconds : since + milliseconds - now;
  return `${(Math.max(0, left) / 1000).toFixed(1)} s`;
}

export function flowWords({ title, outcome, live, startedAt }: FlowSummary): string {
  const end = outcome === null ? '' : ` · ${outcome}`;
  return `${title}${end}${live ? ' · live' : ''} · ${clockTime(startedAt)}`;
}

/** Fields that say little at a glance. */
const quiet =
  /^(at|requestId|ref|linkId|flowId|actorId|port|phone\.id|deviceId|.*Hash|.*\.publicKey)$/;

/** The most telling of an event's fields, in one line. */
export function telling({ fields }: EventRow): string {
  return fields
    .filter(([name, value]) => !quiet.test(name) && value !== '' && value !== 'null')
    .slice(0, 3)
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ');
}

/** Of a flow that is over. `exportedAt`: of the file that it is in, if it is in one. */
export const recordedWords = (exportedAt: number | null) =>
  exportedAt === null ? 'recorded' : `a file of ${clockTime(exportedAt)}`;

/** Where nothing is recorded yet. */
export const emptyWords = (shows: Opening['shows']) =>
  shows === 'phone'
    ? 'Nothing is recorded yet. Run signer start, and connect from a headset; it appears here.'
    : 'Nothing is recorded yet. Run vmux connect user@host in another terminal; it appears here.';

/** Why a device has no chart in this flow. */
export function nothingOf(device: Device, shows: Opening['shows']): string {
  if (shows === 'both' || shows === device) return `Nothing of the ${device} is in this flow.`;
  return device === 'phone'
    ? 'The phone’s side is in its own log. To see both: signer inspect there, and here vmux inspect --phone with the address that it prints.'
    : 'The headset’s side is in its own log. To see both: vmux inspect --phone there, with the address printed here.';
}
