import { Buffer } from 'node:buffer';
import { access } from 'node:fs/promises';
import { fingerprintOf, keyTypeOf } from './blobs.ts';
import { foreign } from './foreign-text.ts';
import { run } from './run.ts';
import { unusable, type Resolved, type Unusable } from './ssh-config.ts';

/** One line of a known_hosts file that matches the host. */
export interface KnownHost {
  /** `certAuthority` lines vouch for certificates, which ssh2 does not negotiate. */
  marker: 'none' | 'revoked' | 'certAuthority';
  keyType: string;
  /** The key blob (RFC 4253 §6.6). */
  key: Buffer;
}

/** A host key that the person confirmed here before. */
export interface PinnedHostKey {
  /** `HostKeyAlias` when there is one, else the resolved host name in lower case. */
  name: string;
  port: number;
  keyType: string;
  /** The key blob (RFC 4253 §6.6), base64. */
  key: string;
}

export type Judgement =
  | { verdict: 'known' }
  | { verdict: 'unknown' }
  /** `known`: the fingerprint that was expected. */
  | { verdict: 'changed'; known: string }
  | { verdict: 'revoked' };

/** Host key algorithms in our own order of preference; RSA with SHA-1 is not among them. */
const preferred = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

export type HostKeyAlgorithm = (typeof preferred)[number];

const keyTypeFor = (algorithm: string): string =>
  algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;

/** The name under which our own pins and, with a port other than 22, known_hosts have a host. */
export function hostKeyName(resolved: Resolved): string {
  return resolved.hostKeyAlias ?? resolved.hostname.toLowerCase();
}

/**
 * The lines of all known_hosts files that match this host: patterns, hashed names and markers are
 * `ssh-keygen -F`'s to understand. A file that does not exist has none; so have all when this
 * machine has no `ssh-keygen`. A file that exists and cannot be searched is a failure: it might
 * have said that the key is revoked. Never throws.
 */
export async function lookUp(
  resolved: Resolved,
  signal?: AbortSignal,
): Promise<KnownHost[] | Unusable> {
  const name = hostKeyName(resolved);
  const bare = resolved.hostKeyAlias !== null || resolved.port === 22;
  const query = bare ? name : `[${name}]:${resolved.port}`;
  const found = await Promise.all(
    resolved.knownHostsFiles.map((file) => search(query, file, signal)),
  );
  const failed = found.find((result) => 'failure' in result);
  return failed ?? found.flatMap((result) => ('failure' in result ? [] : result));
}

async function search(
  query: string,
  file: string,
  signal?: AbortSignal,
): Promise<KnownHost[] | Unusable> {
  try {
    await access(file);
  } catch {
    return [];
  }
  const answer = await run('ssh-keygen', ['-F', query, '-f', file], signal);
  if (answer === 'missing') return [];
  // 1 is both "none" and "some, and other lines are invalid".
  if (answer.status === 0 || answer.status === 1) return parseKnownHosts(answer.stdout);
  return unusable(`${file}: ${foreign(answer.stderr)}`);
}

/** Reads lines in the known_hosts format (sshd(8)); a line that does not parse is left out. */
export function parseKnownHosts(text: string): KnownHost[] {
  const markers = { '@revoked': 'revoked', '@cert-authority': 'certAuthority' } as const;
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) return [];
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    if (marker !== undefined && !(marker in markers)) return [];
    const [, keyType = '', base64 = ''] = fields;
    const key = Buffer.from(base64, 'base64');
    if (keyTypeOf(key) !== keyType) return [];
    return [
      {
        marker: marker === undefined ? 'none' : markers[marker as keyof typeof markers],
        keyType,
        key,
      },
    ];
  });
}

/**
 * What is known of a host key, as OpenSSH decides it and in one case more strictly: a key that is
 * revoked anywhere is revoked; a key on any line or pin is known; another key of the same type
 * known is a change. A key of a *new* type while others are known OpenSSH would ask about. The
 * server was offered the known types first and chose none of them, which is also what someone in
 * the middle would do to turn "changed" into a question: that is a change here, unless every known
 * key is of a type that ssh2 cannot ask for.
 */
export function judge(known: KnownHost[], pins: PinnedHostKey[], key: Buffer): Judgement {
  if (known.some((line) => line.marker === 'revoked' && line.key.equals(key))) {
    return { verdict: 'revoked' };
  }
  const trusted = trustedKeys(known, pins);
  if (trusted.some((candidate) => candidate.equals(key))) return { verdict: 'known' };
  const type = keyTypeOf(key);
  const expected =
    trusted.find((candidate) => keyTypeOf(candidate) === type) ??
    trusted.find((candidate) => isNegotiable(keyTypeOf(candidate)));
  return expected === undefined
    ? { verdict: 'unknown' }
    : { verdict: 'changed', known: fingerprintOf(expected) };
}

/** For ssh2's `algorithms.serverHostKey`: the types known for this host first. */
export function hostKeyAlgorithms(known: KnownHost[], pins: PinnedHostKey[]): HostKeyAlgorithm[] {
  const types = new Set(trustedKeys(known, pins).map(keyTypeOf));
  const isKnown = (algorithm: string) => types.has(keyTypeFor(algorithm));
  return [...preferred.filter(isKnown), ...preferred.filter((algorithm) => !isKnown(algorithm))];
}

function trustedKeys(known: KnownHost[], pins: PinnedHostKey[]): Buffer[] {
  const revoked = known.filter((line) => line.marker === 'revoked');
  return [
    ...known.filter((line) => line.marker === 'none').map((line) => line.key),
    ...pins.map((pin) => Buffer.from(pin.key, 'base64')),
  ].filter((key) => !revoked.some((line) => line.key.equals(key)));
}

function isNegotiable(keyType: string | null): boolean {
  return preferred.some((algorithm) => keyTypeFor(algorithm) === keyType);
}
