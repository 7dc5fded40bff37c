/**
 * Numbers and names of the SSH standards in what an identity signs, as the standards spell them.
 * The phone's page reads them as well.
 */

import { ECDSA_SHA2_NISTP256, SK_ECDSA_SHA2_NISTP256 } from './identity-key.ts';

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

/** RFC 8709 §4, §6. */
export const SSH_ED25519 = 'ssh-ed25519';

/** RFC 4253 §6.6: a key type. Its signature algorithm of the same name is SHA-1 and not read here. */
export const SSH_RSA = 'ssh-rsa';

/** RFC 5656 §6.1, §10.1. */
export const ECDSA_SHA2_NISTP384 = 'ecdsa-sha2-nistp384';
export const ECDSA_SHA2_NISTP521 = 'ecdsa-sha2-nistp521';

/** OpenSSH PROTOCOL.u2f: key type and signature algorithm of such a security key. */
export const SK_SSH_ED25519 = 'sk-ssh-ed25519@openssh.com';

/** OpenSSH PROTOCOL.certkeys and PROTOCOL.u2f: certificate types and the types of their keys. */
export const CERTIFIED_KEY_TYPES: ReadonlyMap<string, string> = new Map([
  ['ssh-ed25519-cert-v01@openssh.com', SSH_ED25519],
  ['ssh-rsa-cert-v01@openssh.com', SSH_RSA],
  [ECDSA_SHA2_NISTP256_CERT, ECDSA_SHA2_NISTP256],
  ['ecdsa-sha2-nistp384-cert-v01@openssh.com', ECDSA_SHA2_NISTP384],
  ['ecdsa-sha2-nistp521-cert-v01@openssh.com', ECDSA_SHA2_NISTP521],
  ['sk-ssh-ed25519-cert-v01@openssh.com', SK_SSH_ED25519],
  ['sk-ecdsa-sha2-nistp256-cert-v01@openssh.com', SK_ECDSA_SHA2_NISTP256],
]);
