import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { SSHSIG_MAGIC } from '../wire/protocol.ts';
import { encodeString } from '../wire/ssh-wire.ts';

/**
 * The bytes that an SSHSIG over `message` signs (OpenSSH PROTOCOL.sshsig §2.3), by way of its
 * SHA-512. The namespace must not be empty. The armored form that `ssh-keygen` writes is another.
 */
export function sshsigData(namespace: string, message: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(SSHSIG_MAGIC),
    encodeString(namespace),
    encodeString(''),
    encodeString('sha512'),
    encodeString(createHash('sha512').update(message).digest()),
  ]);
}
