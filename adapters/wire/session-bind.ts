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
