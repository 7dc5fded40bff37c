/**
 * Numbers and names of the agent protocol (RFC 9987, and OpenSSH PROTOCOL.agent for its extension),
 * as the standards spell them. Only what this agent serves or answers is here: every other request
 * is refused alike.
 */

/** RFC 9987 §5.1: the generic answers. FAILURE also says that an extension is not known (§5.8). */
export const SSH_AGENT_FAILURE = 5;
export const SSH_AGENT_SUCCESS = 6;

/** RFC 9987 §5.5. */
export const SSH_AGENTC_REQUEST_IDENTITIES = 11;
export const SSH_AGENT_IDENTITIES_ANSWER = 12;

/** RFC 9987 §5.6. */
export const SSH_AGENTC_SIGN_REQUEST = 13;
export const SSH_AGENT_SIGN_RESPONSE = 14;

/** RFC 9987 §5.8. */
export const SSH_AGENTC_EXTENSION = 27;
export const SSH_AGENT_EXTENSION_RESPONSE = 29;

/** RFC 9987 §5.8.1. */
export const EXTENSION_QUERY = 'query';

/** OpenSSH PROTOCOL.agent §1. */
export const EXTENSION_SESSION_BIND = 'session-bind@openssh.com';

/** OpenSSH `AGENT_MAX_LEN` (ssh-agent.c): the largest message, in bytes without its length. */
export const AGENT_MAX_LEN = 256 * 1024;
