import { Buffer } from 'node:buffer';
import { WEBAUTHN_SK_ECDSA_SHA2_NISTP256 } from '../wire/identity-key.ts';
import { encodeMpint, encodeString, encodeUint32 } from '../wire/ssh-wire.ts';
import type { VerifiedAssertion } from './assertion.ts';

/**
 * The SSH signature blob that a verified assertion is (OpenSSH PROTOCOL.u2f, "SSH U2F signatures"):
 *
 *     string  "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
 *     string  mpint r, mpint s
 *     byte    flags
 *     uint32  counter
 *     string  origin
 *     string  clientDataJSON
 *     string  extensions, as they came: sshd hashes them with the rest
 */
export function sshSignatureOf({
  data,
  signature,
  assertion,
  expected,
}: VerifiedAssertion): Buffer {
  const { flags, counter, extensions } = data;
  const rs = Buffer.concat([encodeMpint(signature.r), encodeMpint(signature.s)]);
  return Buffer.concat([
    encodeString(WEBAUTHN_SK_ECDSA_SHA2_NISTP256),
    encodeString(rs),
    Buffer.of(flags),
    encodeUint32(counter),
    encodeString(expected.origin),
    encodeString(assertion.clientDataJSON),
    encodeString(extensions),
  ]);
}
