import { Buffer } from 'node:buffer';
import type { SessionBind } from '../wire/session-bind.ts';
import type { Ssh2Insides } from './ssh2-insides.ts';

/** What the server's first key exchange proves (RFC 4253 §8). */
export interface KexProof {
  /** For ssh2's `hostVerifier`, at once: ssh2 forgets the signature when the exchange is complete. */
  claimed: (hostKey: Buffer) => void;
  /** For ssh2's `handshake`: the server's signature was good. */
  proven: () => void;
  /** `null` while nothing is proven, and for good when ssh2 did not show the signature. */
  bind: () => SessionBind | null;
}

/**
 * Keeps the host key, the session id and the server's signature over it. Only the first key
 * exchange counts: in a later one the server signs another hash than the session id.
 */
export function keepKexProof(insides: () => Ssh2Insides | null): KexProof {
  let isFirst = true;
  let claim: Pick<SessionBind, 'hostKey' | 'signature'> | null = null;
  let bind: SessionBind | null = null;

  return {
    claimed(hostKey) {
      const signature = insides()?.kexSignature() ?? null;
      if (isFirst && signature !== null) {
        claim = { hostKey: Buffer.from(hostKey), signature: Buffer.from(signature) };
      }
      isFirst = false;
    },
    proven() {
      const sessionId = insides()?.sessionId() ?? null;
      if (claim !== null && sessionId !== null) {
        bind = { ...claim, sessionId: Buffer.from(sessionId), isForwarding: false };
      }
      claim = null;
    },
    bind: () => bind,
  };
}
