/**
 * Numbers and names of the SSH standards that this folder reads and writes, as the standards spell
 * them.
 */
import { ECDSA_SHA2_NISTP256, SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';

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

/** OpenSSH PROTOCOL.certkeys: `type` of a host certificate. */
export const SSH_CERT_TYPE_HOST = 2;

/** RFC 8709 §4, §6. */
export const SSH_ED25519 = 'ssh-ed25519';

/** RFC 4253 §6.6: a key type. Its signature algorithm of the same name is SHA-1 and not read here. */
export const SSH_RSA = 'ssh-rsa';

/** RFC 8332 §3: signature algorithms of an `ssh-rsa` key. */
export const RSA_SHA2_256 = 'rsa-sha2-256';
export const RSA_SHA2_512 = 'rsa-sha2-512';

/** RFC 5656 §6.1, §10.1. */
export const ECDSA_SHA2_NISTP384 = 'ecdsa-sha2-nistp384';
export const ECDSA_SHA2_NISTP521 = 'ecdsa-sha2-nistp521';

/** OpenSSH PROTOCOL.u2f: key type and signature algorithm of such a security key. */
export const SK_SSH_ED25519 = 'sk-ssh-ed25519@openssh.com';

/** OpenSSH sk-api.h: the signature's flags that somebody was there, and that it was made sure who. */
export const SSH_SK_USER_PRESENCE_REQD = 0x01;
export const SSH_SK_USER_VERIFICATION_REQD = 0x04;

/** WebAuthn Level 2 §6.1: flags of authenticator data that say what follows. */
export const AT = 0x40;
export const ED = 0x80;

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
