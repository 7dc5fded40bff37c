/**
 * Numbers and names of the SSH standards in what an identity signs, as the standards spell them.
 * The phone's page reads them as well.
 */

/** RFC 4252 §6. The byte that follows the session id in what a publickey login signs (§7). */
export const SSH_MSG_USERAUTH_REQUEST = 50;

/** RFC 4252 §5: the service that a login starts. The phone signs for no other. */
export const SSH_CONNECTION = 'ssh-connection';

/** RFC 4252 §7. */
export const METHOD_PUBLICKEY = 'publickey';

/** OpenSSH PROTOCOL §3.1: publickey with the server's host key inside the signed bytes. */
export const METHOD_PUBLICKEY_HOSTBOUND = 'publickey-hostbound-v00@openssh.com';

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
