/** Numbers of the standards that this folder reads, as the standards spell them. */

/** WebAuthn Level 3 §6.1: the bits of `flags` in authenticator data. */
export const UP = 0x01;
export const UV = 0x04;
export const BE = 0x08;
export const BS = 0x10;
export const AT = 0x40;
export const ED = 0x80;

/** WebAuthn Level 2 §6.5.1: bytes of an `aaguid`, and the most that a credential id has. */
export const AAGUID_LENGTH = 16;
export const MAX_CREDENTIAL_ID = 1023;

/** RFC 9052 §7.1, RFC 9053 §7.1.1: labels of a COSE_Key. */
export const COSE_KTY = 1;
export const COSE_ALG = 3;
export const COSE_CRV = -1;
export const COSE_X = -2;
export const COSE_Y = -3;

/** RFC 9053 §2.1, §7.1: the values of an ES256 key on P-256. */
export const KTY_EC2 = 2;
export const ALG_ES256 = -7;
export const CRV_P256 = 1;
