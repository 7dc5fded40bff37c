import { Buffer } from 'node:buffer';
import type { SessionBind } from '../wire/session-bind.ts';

/**
 * Where the challenges, destination proofs and signatures of one process wait while charts and events carry only their
 * request ids. Shared by the adapters that make, carry and use them.
 *
 * The vault owns every buffer put into it and overwrites it with zeros when the request is erased.
 * What `challenge` returns must therefore be used at once and not kept.
 */
export interface RequestVault {
  /**
   * `bytes`: exactly what is to be signed. `binds`: what proves where the signature will go, in the
   * order it came; not verified here. Whatever the id held before is erased.
   */
  putChallenge: (requestId: string, bytes: Buffer, binds: readonly SessionBind[]) => void;
  /** `null` when there is none, or no longer. */
  challenge: (requestId: string) => Buffer | null;
  /** Empty when there are none, or no longer. */
  binds: (requestId: string) => readonly SessionBind[];
  /**
   * `bytes`: an SSH signature blob, `string algorithm, string signature` (RFC 5656 §3.1.2 for
   * ECDSA). False, and the bytes erased, when no challenge waits under that id: the request ended.
   */
  putSignature: (requestId: string, bytes: Buffer) => boolean;
  /** At most once per signature. The taker owns the buffer and zeroes it. */
  takeSignature: (requestId: string) => Buffer | null;
  erase: (requestId: string) => void;
  eraseAll: () => void;
}

interface Waiting {
  challenge: Buffer;
  binds: readonly SessionBind[];
  signature: Buffer | null;
}

export function createRequestVault(): RequestVault {
  const requests = new Map<string, Waiting>();

  const erase = (requestId: string): void => {
    const request = requests.get(requestId);
    request?.challenge.fill(0);
    request?.signature?.fill(0);
    requests.delete(requestId);
  };

  return {
    putChallenge(requestId, bytes, binds) {
      erase(requestId);
      requests.set(requestId, { challenge: bytes, binds: [...binds], signature: null });
    },
    challenge: (requestId) => requests.get(requestId)?.challenge ?? null,
    binds: (requestId) => requests.get(requestId)?.binds ?? [],
    putSignature(requestId, bytes) {
      const request = requests.get(requestId);
      if (request === undefined) {
        bytes.fill(0);
        return false;
      }
      request.signature?.fill(0);
      request.signature = bytes;
      return true;
    },
    takeSignature(requestId) {
      const request = requests.get(requestId);
      const signature = request?.signature ?? null;
      if (request !== undefined) request.signature = null;
      return signature;
    },
    erase,
    eraseAll() {
      for (const requestId of requests.keys()) erase(requestId);
    },
  };
}
