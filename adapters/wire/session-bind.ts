/**
 * One `session-bind@openssh.com` as it came (OpenSSH PROTOCOL.agent §1): the claim that an SSH
 * session of this id is with the server that holds this host key. Nothing of it is verified here.
 */
export interface SessionBind {
  /** Host key blob (RFC 4253 §6.6), or the blob of a host certificate. */
  hostKey: Uint8Array;
  /** The exchange hash of the session's first key exchange (RFC 4253 §7.2). */
  sessionId: Uint8Array;
  /** The server's signature blob over the session id. */
  signature: Uint8Array;
  /** The agent is forwarded over that session; `false`: the session logs in itself. */
  isForwarding: boolean;
}

/** OpenSSH `AGENT_MAX_SESSION_IDS` (ssh-agent.c): the most binds that one socket can hold. */
export const AGENT_MAX_SESSION_IDS = 16;

/**
 * Lengths in bytes that a session id can have: it is the first exchange hash (RFC 4253 §7.2), so
 * the output of SHA-1, SHA-256, SHA-384 or SHA-512.
 */
export const SESSION_ID_LENGTHS: ReadonlySet<number> = new Set([20, 32, 48, 64]);
