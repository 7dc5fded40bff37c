/**
 * Numbers and names of the SSH standards that this folder reads and writes, as the standards spell
 * them.
 */

/** OpenSSH PROTOCOL.certkeys: `type` of a host certificate. */
export const SSH_CERT_TYPE_HOST = 2;

/** RFC 8332 §3: signature algorithms of an `ssh-rsa` key. */
export const RSA_SHA2_256 = 'rsa-sha2-256';
export const RSA_SHA2_512 = 'rsa-sha2-512';

/** OpenSSH sk-api.h: the signature's flags that somebody was there, and that it was made sure who. */
export const SSH_SK_USER_PRESENCE_REQD = 0x01;
export const SSH_SK_USER_VERIFICATION_REQD = 0x04;

/** WebAuthn Level 2 §6.1: flags of authenticator data that say what follows. */
export const AT = 0x40;
export const ED = 0x80;
