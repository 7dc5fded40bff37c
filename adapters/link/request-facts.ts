import type { DenialReason, SignerFailure } from '../../machines/ports.ts';
import type { ResultMessage } from './messages.ts';

/** What the phone says of a request that this process has on the link. */
export type RequestFact =
  | { type: 'queued'; requestId: string }
  | { type: 'presented'; requestId: string }
  | { type: 'unseen'; requestId: string }
  /** The signature is not verified, and is the receiver's to wipe. */
  | { type: 'signed'; requestId: string; signature: Buffer }
  | { type: 'denied'; requestId: string; why: DenialReason }
  | { type: 'expired'; requestId: string }
  | { type: 'failed'; requestId: string; reason: SignerFailure };

/** A result as it came over the link, as a fact. */
export function factOf(result: ResultMessage): RequestFact {
  const requestId = result.id;
  switch (result.outcome) {
    case 'signed':
      return { type: 'signed', requestId, signature: Buffer.from(result.signature, 'base64') };
    case 'denied':
      return { type: 'denied', requestId, why: result.why };
    case 'expired':
      return { type: 'expired', requestId };
    case 'failed':
      return { type: 'failed', requestId, reason: result.reason };
  }
}
