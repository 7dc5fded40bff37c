import type { Proof, RequestKind } from '../../machines/phone/ports.ts';
import type { SessionBind } from '../wire/session-bind.ts';
import type { PairedDevice } from './certificate.ts';
import type { SignMessage } from './messages.ts';
import type { HeldRequest, RequestArrived } from './requests.ts';

/** What the bytes to sign say, or why this phone does not sign them. */
export type Reading =
  | { ok: true; kind: RequestKind; user: string; detail: string | null; proof: Proof }
  | { ok: false; reason: 'requestUnreadable' | 'requestMismatch' | 'proofInvalid' };

/** What the headset says of the bytes. */
export interface SignClaim {
  fingerprint: string;
  user: string;
  host: string;
  binds: readonly SessionBind[];
}

export type ReadRequest = (data: Uint8Array, claim: SignClaim) => Reading;

/** The fact about a request that arrived. A reader that throws has not read it. */
export function judgeRequest(
  readRequest: ReadRequest,
  held: HeldRequest,
  device: PairedDevice,
  message: SignMessage,
): RequestArrived {
  const { fingerprint, user, host, port, code } = message;
  const { ref, linkId, challengeHash, ttl, queueTtl, sheetTtl } = held;
  const binds = message.binds.map(bindOf);
  const reading = readSafely(readRequest, held.challenge, { fingerprint, user, host, binds });
  const { id: deviceId, name: deviceName } = device;
  if (!reading.ok) return unreadable({ ref, linkId, device }, message, reading.reason);
  const asked = { ref, linkId, deviceId, deviceName, host, port, code, fingerprint };
  const { user: login, kind, detail, proof } = reading;
  const read = { user: login, kind, detail, proof };
  const times = { ttl, queueTtl, sheetTtl };
  return { type: 'request.received', ...asked, ...read, challengeHash, ...times };
}

type Unreadable = Extract<RequestArrived, { type: 'request.unreadable' }>;

/** The fact about a request that gets no sheet. Whom and where it is for, only the headset says. */
export function unreadable(
  { ref, linkId, device }: { ref: string; linkId: string; device: PairedDevice },
  { host, user }: SignMessage,
  reason: Unreadable['reason'],
): Unreadable {
  const deviceName = device.name;
  return { type: 'request.unreadable', ref, linkId, deviceName, host, user, reason };
}

function bindOf(bind: SignMessage['binds'][number]): SessionBind {
  return {
    hostKey: Buffer.from(bind.hostKey, 'base64'),
    sessionId: Buffer.from(bind.sessionId, 'base64'),
    signature: Buffer.from(bind.signature, 'base64'),
    isForwarding: bind.isForwarding,
  };
}

function readSafely(read: ReadRequest, ...[data, claim]: Parameters<ReadRequest>): Reading {
  try {
    return read(data, claim);
  } catch {
    return { ok: false, reason: 'requestUnreadable' };
  }
}
