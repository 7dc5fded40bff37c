/** Host keys of every type, their signatures and certificates, for the tests of `adapters/keys`. */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { encodeMpint } from '../../adapters/wire/ssh-wire.ts';
import { str, u32, u64 } from './keys-examples.ts';

export const hostKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;

export type HostKeyType = (typeof hostKeyTypes)[number];

export interface SignatureParts {
  algorithm: string;
  hash: string;
  application: string;
  flags: number;
}

export interface HostKeyPair {
  keyType: HostKeyType;
  /** What follows the type's name in the blob. */
  fields: Buffer;
  blob: Buffer;
  /** The signature blob over `data`, with the given parts replaced. */
  sign: (data: Uint8Array, changes?: Partial<SignatureParts>) => Buffer;
}

const application = 'ssh:hosts';

/** A new key. `bits` is for RSA only. */
export function hostKeyPair(keyType: HostKeyType, bits = 2048): HostKeyPair {
  return pairOf(keyType, generate(keyType, bits));
}

/** A key that `ssh-keygen -m PEM` has made: only an Ed25519 key is then in OpenSSH's own format. */
export function hostKeyPairOfFile(path: string): HostKeyPair {
  const [keyType = '', base64 = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ');
  const pem = readFileSync(path, 'utf8');
  const privateKey =
    keyType === 'ssh-ed25519'
      ? ed25519OfFile(pem, Buffer.from(base64, 'base64').subarray(-32))
      : createPrivateKey(pem);
  return pairOf(keyType as HostKeyType, privateKey);
}

function generate(keyType: HostKeyType, modulusLength: number): KeyObject {
  if (keyType === 'ssh-rsa') return generateKeyPairSync('rsa', { modulusLength }).privateKey;
  if (keyType.includes('ed25519')) return generateKeyPairSync('ed25519').privateKey;
  const namedCurve = `P-${/nistp(\d+)/.exec(keyType)?.[1]}`;
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

/** OpenSSH PROTOCOL.key: the seed stands right before the second copy of the public key. */
function ed25519OfFile(pem: string, x: Buffer): KeyObject {
  const raw = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
  const at = raw.lastIndexOf(x);
  const d = raw.subarray(at - 32, at).toString('base64url');
  const key = { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url'), d };
  return createPrivateKey({ key, format: 'jwk' });
}

function pairOf(keyType: HostKeyType, privateKey: KeyObject): HostKeyPair {
  const fields = keyFields(keyType, privateKey.export({ format: 'jwk' }));
  return {
    keyType,
    fields,
    blob: Buffer.concat([str(keyType), fields]),
    sign: (data, changes = {}) => signatureBlob(keyType, privateKey, data, changes),
  };
}

const bytes = (text = '') => Buffer.from(text, 'base64url');

function keyFields(keyType: HostKeyType, { x, y, e, n }: JsonWebKey): Buffer {
  const after = keyType.startsWith('sk-') ? str(application) : Buffer.alloc(0);
  if (keyType === 'ssh-rsa') return Buffer.concat([encodeMpint(bytes(e)), encodeMpint(bytes(n))]);
  if (keyType.includes('ed25519')) return Buffer.concat([str(bytes(x)), after]);
  const curve = /nistp\d+/.exec(keyType)?.[0] ?? '';
  return Buffer.concat([str(curve), str(Buffer.concat([Buffer.of(4), bytes(x), bytes(y)])), after]);
}

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest();

function signatureBlob(
  keyType: HostKeyType,
  key: KeyObject,
  data: Uint8Array,
  changes: Partial<SignatureParts>,
): Buffer {
  const hashes: Record<string, string> = { nistp384: 'sha384', nistp521: 'sha512' };
  const parts: SignatureParts = {
    algorithm: keyType === 'ssh-rsa' ? 'rsa-sha2-256' : keyType,
    hash: hashes[/nistp\d+/.exec(keyType)?.[0] ?? ''] ?? 'sha256',
    application,
    flags: 1,
    ...changes,
  };
  const isSecurityKey = keyType.startsWith('sk-');
  const tail = Buffer.concat([Buffer.of(parts.flags), u32(7)]);
  const signed = isSecurityKey
    ? Buffer.concat([sha256(parts.application), tail, sha256(data)])
    : data;
  const value = signatureValue(keyType, key, signed, parts.hash);
  return Buffer.concat([str(parts.algorithm), str(value), isSecurityKey ? tail : Buffer.alloc(0)]);
}

function signatureValue(
  keyType: HostKeyType,
  key: KeyObject,
  data: Uint8Array,
  hash: string,
): Buffer {
  if (keyType === 'ssh-rsa') return sign(hash, data, key);
  if (keyType.includes('ed25519')) return sign(null, data, key);
  const rs = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = rs.length / 2;
  return Buffer.concat([encodeMpint(rs.subarray(0, half)), encodeMpint(rs.subarray(half))]);
}

export const certificateType = (keyType: string): string =>
  `${keyType.replace('@openssh.com', '')}-cert-v01@openssh.com`;

export interface HostCertificateParts {
  nonce: Uint8Array;
  type: number;
  principals: string[];
  validAfter: bigint;
  validBefore: bigint;
  options: Uint8Array;
  extensions: Uint8Array;
  reserved: string;
  caKey: Uint8Array;
  /** In the place of the CA's own. */
  signature: Uint8Array | null;
  after: Uint8Array;
}

/** PROTOCOL.certkeys, for any key type, with the given parts replaced. */
export function hostCertificate(
  { keyType, fields }: HostKeyPair,
  ca: HostKeyPair,
  changes: Partial<HostCertificateParts> = {},
): Buffer {
  const parts: HostCertificateParts = {
    nonce: Buffer.alloc(32, 1),
    type: 2,
    principals: ['web1', 'web1.example.com'],
    validAfter: 1_000n,
    validBefore: 2_000n,
    options: Buffer.alloc(0),
    extensions: Buffer.alloc(0),
    reserved: '',
    caKey: ca.blob,
    signature: null,
    after: Buffer.alloc(0),
    ...changes,
  };
  const signed = Buffer.concat([
    str(certificateType(keyType)),
    str(parts.nonce),
    fields,
    u64(5n),
    u32(parts.type),
    str('web1 of the rack'),
    str(Buffer.concat(parts.principals.map((principal) => str(principal)))),
    u64(parts.validAfter),
    u64(parts.validBefore),
    str(parts.options),
    str(parts.extensions),
    str(parts.reserved),
    str(parts.caKey),
  ]);
  return Buffer.concat([signed, str(parts.signature ?? ca.sign(signed)), parts.after]);
}

/** A key made by OpenSSH; `type` as in `ssh-keygen -t`. */
export function makeKeyByOpenSsh(path: string, type: string, bits: string): void {
  const size = bits === '' ? [] : ['-b', bits];
  execFileSync(
    'ssh-keygen',
    ['-q', '-t', type, ...size, '-m', 'PEM', '-N', '', '-C', '', '-f', path],
    { stdio: 'pipe' },
  );
}

/** The certificate of the public key beside `path` that `ssh-keygen -s` makes: blob and file. */
export function certifyByOpenSsh(
  path: string,
  caPath: string,
  options: string[],
): { blob: Buffer; file: string } {
  execFileSync('ssh-keygen', ['-q', '-s', caPath, ...options, `${path}.pub`], { stdio: 'pipe' });
  const file = `${path}-cert.pub`;
  return { blob: publicBlobOfFile(file), file };
}

export function publicBlobOfFile(path: string): Buffer {
  return Buffer.from(readFileSync(path, 'utf8').split(' ')[1] ?? '', 'base64');
}
