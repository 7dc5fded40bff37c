/** Lists inside OpenSSH certificates (PROTOCOL.certkeys). */
import { SSHKEY_CERT_MAX_PRINCIPALS } from './protocol.ts';
import { decodeUtf8, wireReader } from './wire-reader.ts';

/** `null`: malformed, a nameless principal, or more than OpenSSH allows. */
export function readPrincipals(bytes: Uint8Array | null): string[] | null {
  if (bytes === null) return null;
  const reader = wireReader(bytes);
  const principals: string[] = [];
  while (!reader.atEnd()) {
    const principal = reader.text();
    if (principal === null || principal === '') return null;
    if (principals.push(principal) > SSHKEY_CERT_MAX_PRINCIPALS) return null;
  }
  return principals;
}

/** Names in lexical order, each once (PROTOCOL.certkeys); their data must be there. */
export function readOptionNames(bytes: Uint8Array | null): string[] | null {
  if (bytes === null) return null;
  const reader = wireReader(bytes);
  const names: string[] = [];
  let previous: Uint8Array | null = null;
  while (!reader.atEnd()) {
    const written = reader.string();
    const data = reader.string();
    if (written === null || written.length === 0 || data === null) return null;
    const name = decodeUtf8(written);
    if (name === null || (previous !== null && !isBefore(previous, written))) return null;
    previous = written;
    names.push(name);
  }
  return names;
}

/** Byte by byte, as OpenSSH orders them. */
function isBefore(one: Uint8Array, other: Uint8Array): boolean {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  if (at === -1) return one.length < other.length;
  const [left = 0, right] = [one[at], other[at]];
  return right !== undefined && left < right;
}
