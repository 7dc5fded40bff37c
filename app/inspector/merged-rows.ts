/** The rows of two devices as one sequence, in which nothing arrives before it was sent. */
import type { EventRow } from './protocol.ts';

/** What comes first, by what has to come after it. */
type Causes = Map<EventRow, EventRow>;

const answers = ['signer.signed', 'signer.denied', 'signer.expired', 'signer.failed'];

/** What makes a headset withdraw its request. */
const endings = [
  'user.cancel',
  'asker.gone',
  'ssh.failed',
  'ssh.closed',
  'ssh.permissionDenied',
  'app.stopped',
];

/**
 * `headset`: a flow's rows; `phone`: those of the request `requestId`, in the headset's time as far
 * as that is known. Each device's order stays. The headset's times stay too; a phone's row that its
 * corrected clock puts too early or too late gets the nearest time that is possible.
 */
export function mergedRows(headset: EventRow[], phone: EventRow[], requestId: string): EventRow[] {
  const causes = causesIn(headset, phone, requestId);
  const merged: EventRow[] = [];
  const done = new Set<EventRow>();
  let [i, j] = [0, 0];
  for (;;) {
    const [one, other] = [headset[i], phone[j]];
    const next = other === undefined ? one : one === undefined ? other : first(one, other);
    if (next === undefined) return inTime(merged);
    if (next === one) i += 1;
    else j += 1;
    merged.push(next);
    done.add(next);
  }

  function isReady(row: EventRow): boolean {
    const cause = causes.get(row);
    return cause === undefined || done.has(cause);
  }

  function first(one: EventRow, other: EventRow): EventRow {
    if (isReady(one) !== isReady(other)) return isReady(one) ? one : other;
    return other.at < one.at ? other : one;
  }
}

function causesIn(headset: EventRow[], phone: EventRow[], requestId: string): Causes {
  const causes: Causes = new Map();
  const pair = (before: EventRow[], after: EventRow[]) =>
    after.forEach((row, index) => {
      const cause = before[index];
      if (cause !== undefined) causes.set(row, cause);
    });
  const own = headset.filter((row) => field(row, 'requestId') === requestId);
  const asked = own[0];
  if (asked === undefined) return causes;
  const later = headset
    .slice(headset.indexOf(asked) + 1)
    .filter(({ stream }) => stream === asked.stream);
  const sent = [asked, ...later.filter(({ type }) => type === 'link.up')];

  const received = typed(phone, 'request.received', 'request.unreadable');
  pair(sent, received);
  pair(received, typed(own, 'signer.queued'));
  pair(typed(phone, 'sheet.unseen'), typed(own, 'signer.unseen'));
  pair(typed(phone, 'sheet.shown'), typed(own, 'signer.presented'));
  pair(phone.slice(-1), typed(own, ...answers));
  const ending = later.find(
    ({ type }) => endings.includes(type) || type.startsWith('xstate.after.'),
  );
  if (ending !== undefined) pair([ending], typed(phone, 'request.withdrawn'));
  return causes;
}

const typed = (rows: EventRow[], ...types: string[]) =>
  rows.filter(({ type }) => types.includes(type));

const field = ({ fields }: EventRow, name: string) =>
  fields.find(([key]) => key === name)?.[1] ?? null;

function inTime(rows: EventRow[]): EventRow[] {
  let latest = -Infinity;
  return rows.map((row, index) => {
    if (row.device === 'phone') {
      const next = rows.slice(index).find(({ device }) => device === 'headset');
      const at = Math.min(Math.max(row.at, latest), next?.at ?? Infinity);
      latest = Math.max(latest, at);
      return { ...row, at };
    }
    latest = Math.max(latest, row.at);
    return row;
  });
}
