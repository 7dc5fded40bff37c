import type { SessionBind } from '../wire/session-bind.ts';
import { MAX_FRAME } from './frames.ts';
import { readHeadsetMessage, type HeadsetMessage } from './messages.ts';

/** A challenge for the phone. Times in milliseconds; see `link.send` in the ports. */
export interface OutgoingRequest {
  /** A lower-case UUID. */
  requestId: string;
  fingerprint: string;
  host: string;
  port: number;
  user: string;
  code: string;
  data: Uint8Array;
  binds: readonly SessionBind[];
  ttl: number;
  queueTtl: number;
  sheetTtl: number;
}

/** The message that says it; null when it cannot be said in the protocol, or fits no frame. */
export function signMessageOf(request: OutgoingRequest): HeadsetMessage | null {
  const { requestId: id, data, binds, ...rest } = request;
  const message = {
    t: 'sign',
    id,
    ...rest,
    data: base64(data),
    binds: binds.map(({ hostKey, sessionId, signature, isForwarding }) => ({
      hostKey: base64(hostKey),
      sessionId: base64(sessionId),
      signature: base64(signature),
      isForwarding,
    })),
  };
  if (Buffer.byteLength(JSON.stringify(message)) > MAX_FRAME) return null;
  return readHeadsetMessage(message);
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
