/**
 * Numbers and names of the SSH standards that this folder reads and writes, as the standards spell
 * them.
 */

/** RFC 4252 §6. The byte that follows the session id in what a publickey login signs (§7). */
export const SSH_MSG_USERAUTH_REQUEST = 50;

/** RFC 4252 §5: the service that a login starts. The phone signs for no other. */
export const SSH_CONNECTION = 'ssh-connection';

/** RFC 4252 §7. */
export const METHOD_PUBLICKEY = 'publickey';

/** OpenSSH PROTOCOL §3.1: publickey with the server's host key inside the signed bytes. */
export const METHOD_PUBLICKEY_HOSTBOUND = 'publickey-hostbound-v00@openssh.com';

/** RFC 5656 §3.1, §6.2: key type, signature algorithm and curve of a P-256 key. */
export const ECDSA_SHA2_NISTP256 = 'ecdsa-sha2-nistp256';
export const NISTP256 = 'nistp256';

/** OpenSSH PROTOCOL.certkeys, "ECDSA certificate". */
export const ECDSA_SHA2_NISTP256_CERT = 'ecdsa-sha2-nistp256-cert-v01@openssh.com';

/** OpenSSH PROTOCOL.certkeys: `type` of a user certificate (2 is a host's). */
export const SSH_CERT_TYPE_USER = 1;

/** OpenSSH `SSHKEY_CERT_MAX_PRINCIPALS` (sshkey.h). */
export const SSHKEY_CERT_MAX_PRINCIPALS = 256;

/** OpenSSH PROTOCOL.sshsig §2: what an SSHSIG's signed data begins with, without a length. */
export const SSHSIG_MAGIC = 'SSHSIG';

/** OpenSSH PROTOCOL.sshsig §2.3: hash names and their lengths in bytes. */
export const SSHSIG_HASH_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 32],
  ['sha512', 64],
]);

/**
 * Lengths in bytes that a session id can have: it is the first exchange hash (RFC 4253 §7.2), so
 * the output of SHA-1, SHA-256, SHA-384 or SHA-512.
 */
export const SESSION_ID_LENGTHS: ReadonlySet<number> = new Set([20, 32, 48, 64]);
