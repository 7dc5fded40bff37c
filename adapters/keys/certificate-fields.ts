/** Lists inside OpenSSH certificates (PROTOCOL.certkeys). */
import { Buffer } from 'node:buffer';
import { SSHKEY_CERT_MAX_PRINCIPALS } from './protocol.ts';
import { wireReader } from '../wire/ssh-wire.ts';

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
  while (!reader.atEnd()) {
    const name = reader.text();
    const data = reader.string();
    if (name === null || name === '' || data === null) return null;
    const previous = names.at(-1);
    if (previous !== undefined && Buffer.compare(Buffer.from(previous), Buffer.from(name)) >= 0) {
      return null;
    }
    names.push(name);
  }
  return names;
}
