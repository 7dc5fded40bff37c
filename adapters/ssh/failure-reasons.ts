import type { SshFailure } from '../../machines/headset/ports.ts';

/** What is known of a connection at the moment it fails. */
export interface Circumstances {
  /** Any byte came from the other side. */
  heard: boolean;
  /** The server has named a host key: what answers speaks SSH. */
  sawHostKey: boolean;
  /** Bytes go through a proxy program. */
  proxied: boolean;
}

const byCode: Partial<Record<string, SshFailure>> = {
  ENOTFOUND: 'hostNotFound',
  EAI_AGAIN: 'hostNotFound',
  EAI_NODATA: 'hostNotFound',
  EAI_FAIL: 'hostNotFound',
  ECONNREFUSED: 'connectionRefused',
  EHOSTUNREACH: 'hostUnreachable',
  ENETUNREACH: 'hostUnreachable',
  EADDRNOTAVAIL: 'hostUnreachable',
  ENETDOWN: 'hostUnreachable',
  EACCES: 'hostUnreachable',
  EPERM: 'hostUnreachable',
  ETIMEDOUT: 'hostUnreachable',
};

/** ssh2's words for a greeting that is no SSH identification (RFC 4253 §4.2). */
const notSsh = /identification string|greeting lines|invalid header|header line/i;

/** ssh2's words for a host key signature that does not hold (RFC 4253 §8). */
const notProven =
  /signature verification failed|malformed signature|wrong signature type|reading signature|host key does not match/i;

/**
 * The reason that a person meets for an error of ssh2 or of its socket before the login was
 * complete; `null` is a connection that closed without one.
 */
export function reasonFor(error: Error | null, where: Circumstances): SshFailure {
  const code = error !== null && 'code' in error ? error.code : undefined;
  const message = error?.message ?? '';
  const fromCode = typeof code === 'string' ? byCode[code] : undefined;

  if (where.proxied && !where.heard) return 'hostUnreachable';
  if (fromCode !== undefined && !where.sawHostKey) return fromCode;
  if (/no matching/i.test(message)) return 'noCommonAlgorithm';
  if (notProven.test(message)) return 'badHostKeySignature';
  if (notSsh.test(message)) return 'notAnSshServer';
  if (/lost before handshake/i.test(message))
    return where.heard ? 'notAnSshServer' : 'serverClosed';
  return 'serverClosed';
}

/**
 * The server hung up because of refused logins: SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE
 * (RFC 4253 §11.1), or sshd's words for `MaxAuthTries`.
 */
export function isTooManyTries(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 14 || /too many authentication failures/i.test(error.message);
}
