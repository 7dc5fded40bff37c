/**
 * Numbers and names of the SSH standards that this folder reads and writes, as the standards spell
 * them.
 */
import { ECDSA_SHA2_NISTP256, SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import { ECDSA_SHA2_NISTP256_CERT } from '../wire/protocol.ts';

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
