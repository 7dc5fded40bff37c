/** What all OpenSSH certificates have behind the key that they certify (PROTOCOL.certkeys). */
import { SSHKEY_CERT_MAX_PRINCIPALS } from './protocol.ts';
import { decodeUtf8, wireReader, type WireReader } from './wire-reader.ts';

/** Bytes are views on the blob. */
export interface CertificateFields {
  serial: bigint;
  /** Of users or of hosts. */
  type: number;
  keyId: string;
  /** Names it is valid for; empty means that it names none. */
  principals: string[];
  /** Seconds since 1970. `validBefore` is 2^64 − 1 for "forever". */
  validAfter: bigint;
  validBefore: bigint;
  criticalOptions: string[];
  /** The CA's plain key blob. */
  caKey: Uint8Array;
  /** By the CA, over all before it. Nobody has verified it. */
  signature: Uint8Array;
}

/** From the serial on, to the signature. `null` unless each field is there, in canonical form. */
export function readCertificateFields(reader: WireReader): CertificateFields | null {
  const serial = reader.uint64();
  const type = reader.uint32();
  const keyId = reader.text();
  const principals = readPrincipals(reader.string());
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = readOptionNames(reader.string());
  const extensions = readOptionNames(reader.string());
  const reserved = reader.string();
  const caKey = reader.string();
  const signature = reader.string();
  if (serial === null || type === null || keyId === null || principals === null) return null;
  if (validAfter === null || validBefore === null) return null;
  if (criticalOptions === null || extensions === null) return null;
  if (reserved === null || reserved.length !== 0) return null;
  if (caKey === null || signature === null) return null;
  const validity = { validAfter, validBefore };
  return { serial, type, keyId, principals, ...validity, criticalOptions, caKey, signature };
}

/** `null`: malformed, a nameless principal, or more than OpenSSH allows. */
function readPrincipals(bytes: Uint8Array | null): string[] | null {
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
function readOptionNames(bytes: Uint8Array | null): string[] | null {
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
