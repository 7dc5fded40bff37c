import type { RequestKind } from '../../machines/phone/ports.ts';
import type { PairedDevice } from './certificate.ts';
import type { SignMessage } from './messages.ts';
import type { HeldRequest, RequestArrived } from './requests.ts';

/** What the bytes to sign say, or why this phone does not sign them. */
export type Reading =
  | { ok: true; kind: RequestKind; user: string; detail: string | null }
  | { ok: false; reason: 'requestUnreadable' | 'requestMismatch' };

export type ReadRequest = (
  data: Uint8Array,
  claim: { fingerprint: string; user: string; host: string },
) => Reading;

/** The fact about a request that arrived. A reader that throws has not read it. */
export function judgeRequest(
  readRequest: ReadRequest,
  held: HeldRequest,
  device: PairedDevice,
  { fingerprint, user, host }: SignMessage,
): RequestArrived {
  const { ref, linkId, challengeHash, ttl, queueTtl, sheetTtl } = held;
  const reading = readSafely(readRequest, held.challenge, { fingerprint, user, host });
  if (!reading.ok) return { type: 'request.unreadable', ref, linkId, reason: reading.reason };
  const { id: deviceId, name: deviceName } = device;
  const asked = { ref, linkId, deviceId, deviceName, host, user: reading.user, fingerprint };
  const { kind, detail } = reading;
  const times = { ttl, queueTtl, sheetTtl };
  return { type: 'request.received', ...asked, challengeHash, kind, detail, ...times };
}

function readSafely(read: ReadRequest, ...[data, claim]: Parameters<ReadRequest>): Reading {
  try {
    return read(data, claim);
  } catch {
    return { ok: false, reason: 'requestUnreadable' };
  }
}
