/** Challenges built by hand from the standards' words, for the tests of `adapters/keys`. */
import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateP256Key } from '../../adapters/keys/p256.ts';
import { publicKeyLine, publicIdentity } from '../../adapters/keys/public-key.ts';

/** Without ssh-keygen the tests against OpenSSH are skipped, and say so in their names. */
export const hasSshKeygen =
  spawnSync('ssh-keygen', ['-?'], { stdio: 'ignore' }).error === undefined;
export const unlessSshKeygen = hasSshKeygen ? '' : ' (skipped: no ssh-keygen on this machine)';

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const str = (value: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([u32(bytes.length), bytes]);
};
export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};

export const key = generateP256Key();
export const point = key.publicKey.subarray(-65);
export const sessionId = createHash('sha256').update('exchange').digest();
export const hostKey = Buffer.concat([str('ssh-ed25519'), str(Buffer.alloc(32, 7))]);

export interface LoginParts {
  sessionId: Uint8Array;
  message: number;
  user: Uint8Array | string;
  service: string;
  method: string;
  flag: number;
  algorithm: string;
  keyBlob: Uint8Array;
  after: Uint8Array;
}

const publickeyLogin: LoginParts = {
  sessionId,
  message: 50,
  user: 'deploy',
  service: 'ssh-connection',
  method: 'publickey',
  flag: 1,
  algorithm: 'ecdsa-sha2-nistp256',
  keyBlob: key.publicKey,
  after: Buffer.alloc(0),
};

/** RFC 4252 §7, with the given parts replaced. */
export function login(changes: Partial<LoginParts> = {}): Buffer {
  const parts = { ...publickeyLogin, ...changes };
  return Buffer.concat([
    str(parts.sessionId),
    Buffer.of(parts.message),
    str(parts.user),
    str(parts.service),
    str(parts.method),
    Buffer.of(parts.flag),
    str(parts.algorithm),
    str(parts.keyBlob),
    parts.after,
  ]);
}

export function hostboundLogin(changes: Partial<LoginParts> = {}): Buffer {
  return login({
    method: 'publickey-hostbound-v00@openssh.com',
    after: str(hostKey),
    ...changes,
  });
}

export function sshsig(
  changes: {
    namespace?: Uint8Array | string;
    reserved?: string;
    hash?: string;
    digest?: Buffer;
  } = {},
): Buffer {
  const digest = createHash('sha256').update('a commit').digest();
  return Buffer.concat([
    Buffer.from('SSHSIG'),
    str(changes.namespace ?? 'git'),
    str(changes.reserved ?? ''),
    str(changes.hash ?? 'sha256'),
    str(changes.digest ?? digest),
  ]);
}

export interface CertificateParts {
  nonce: Uint8Array;
  point: Uint8Array;
  type: number;
  principals: Uint8Array;
  validAfter: bigint;
  validBefore: bigint;
  options: Uint8Array;
  extensions: Uint8Array;
  reserved: string;
  caKey: Uint8Array;
  signature: Uint8Array;
  after: Uint8Array;
}

/** PROTOCOL.certkeys, "ECDSA certificate", with the given parts replaced. */
export function certificate(changes: Partial<CertificateParts> = {}): Buffer {
  const parts: CertificateParts = {
    nonce: Buffer.alloc(32, 1),
    point,
    type: 1,
    principals: Buffer.concat([str('deploy'), str('root')]),
    validAfter: 10n,
    validBefore: 2n ** 64n - 1n,
    options: Buffer.concat([str('force-command'), str(str('id'))]),
    extensions: Buffer.concat([str('permit-pty'), str('')]),
    reserved: '',
    caKey: hostKey,
    signature: Buffer.concat([str('ssh-ed25519'), str(Buffer.alloc(64, 9))]),
    after: Buffer.alloc(0),
    ...changes,
  };
  return Buffer.concat([
    str('ecdsa-sha2-nistp256-cert-v01@openssh.com'),
    str(parts.nonce),
    str('nistp256'),
    str(parts.point),
    u64(5n),
    u32(parts.type),
    str('key of deploy'),
    str(parts.principals),
    u64(parts.validAfter),
    u64(parts.validBefore),
    str(parts.options),
    str(parts.extensions),
    str(parts.reserved),
    str(parts.caKey),
    str(parts.signature),
    parts.after,
  ]);
}

export function certificateLogin(blob: Uint8Array = certificate()): Buffer {
  return login({ algorithm: 'ecdsa-sha2-nistp256-cert-v01@openssh.com', keyBlob: blob });
}

/** A folder that is gone after `work`. */
export async function inTemporaryFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vmux-keys-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A user certificate for our key, made by `ssh-keygen -s` with a new CA of this type. */
export function certificateByOpenSsh(folder: string, caType: string, options: string[]): Buffer {
  const ca = join(folder, `ca-${caType}`);
  const path = join(folder, `id-${caType}.pub`);
  execFileSync('ssh-keygen', ['-q', '-t', caType, '-N', '', '-f', ca]);
  writeFileSync(path, `${publicKeyLine(publicIdentity(key.publicKey, 'phone'))}\n`);
  execFileSync('ssh-keygen', ['-q', '-s', ca, ...options, path], { stdio: 'pipe' });
  const line = readFileSync(path.replace(/\.pub$/, '-cert.pub'), 'utf8');
  return Buffer.from(line.split(' ')[1] ?? '', 'base64');
}

/** What OpenSSH says of a public key file: its bits, fingerprint, comment and type. */
export function describeByOpenSsh(path: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' }).trim();
}
