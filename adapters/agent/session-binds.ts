import { Buffer } from 'node:buffer';
import { AGENT_MAX_SESSION_IDS, type SessionBind } from '../wire/session-bind.ts';

/** Whether the server's signature in a bind holds; `unsupported`: no way to check its key here. */
export type BindVerdict = 'valid' | 'invalid' | 'unsupported';

/** The binds of one socket, by the rules of OpenSSH's `process_ext_session_bind` (ssh-agent.c). */
export interface SessionBinds {
  /** In the order they came. It grows; nothing is ever taken out. */
  readonly recorded: readonly SessionBind[];
  /** A bind was refused, and so the socket's true path is not known. It stays so. */
  hasFailed(): boolean;
  /**
   * True when the asker is to hear of success: `bind` is verified and stands recorded. One that is
   * `unsupported` is recorded and yet false. `null`, a malformed bind, counts as refused.
   */
  bind(bind: SessionBind | null): boolean;
}

/** A `verify` that throws has found the bind invalid. */
export function createSessionBinds(verify: (bind: SessionBind) => BindVerdict): SessionBinds {
  const recorded: SessionBind[] = [];
  let failed = false;

  function refuse(): false {
    failed = true;
    return false;
  }

  return {
    recorded,
    hasFailed: () => failed,
    bind(bind) {
      if (bind === null) return refuse();
      const verdict = verdictOf(verify, bind);
      if (verdict === 'invalid') return refuse();
      for (const earlier of recorded) {
        // The asker has said that it logs in itself over this socket: no later hop can be behind
        // it. OpenSSH refuses even the very same bind then.
        if (!earlier.isForwarding) return refuse();
        if (!isSame(earlier.sessionId, bind.sessionId)) continue;
        return isSame(earlier.hostKey, bind.hostKey) ? verdict === 'valid' : refuse();
      }
      if (recorded.length >= AGENT_MAX_SESSION_IDS) return refuse();
      recorded.push(bind);
      return verdict === 'valid';
    },
  };
}

function verdictOf(verify: (bind: SessionBind) => BindVerdict, bind: SessionBind): BindVerdict {
  try {
    return verify(bind);
  } catch {
    return 'invalid';
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other);
}
