/**
 * A P-256 private key sealed under a passphrase: scrypt (RFC 7914) and AES-256-GCM, with the public
 * key blob as additional data. Opened for exactly one signature.
 *
 * What Node cannot clear at once: OpenSSL's copies of the passphrase and of the derived key, and
 * the key object of a signature; OpenSSL clears the first two when it frees them after use, the
 * last when the garbage collector gets there.
 */
import { Buffer } from 'node:buffer';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  scrypt,
  type ScryptOptions,
} from 'node:crypto';
import { z } from 'zod';
import { generateP256Key, scalarLength, signWithP256, type P256Key } from './p256.ts';
import { readPublicKey } from './public-key.ts';

const cipher = 'aes-256-gcm';
const saltLength = 16;
const ivLength = 12;
const tagLength = 16;

/** Cost of what is sealed: 128 · N · r = 128 MiB. */
const cost = { N: 2 ** 17, r: 8, p: 1 } as const;

/** No file may ask for less than 2^17, nor for more memory (512 MiB) than a phone can give. */
const smallestN = 2 ** 17;
const largestN = 2 ** 19;

function base64Of(length: number) {
  return z.base64().refine((text) => {
    const bytes = Buffer.from(text, 'base64');
    return bytes.length === length && bytes.toString('base64') === text;
  });
}

const sealedKeySchema = z.strictObject({
  format: z.literal('vmux-sealed-p256'),
  v: z.literal(1),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z
      .int()
      .min(smallestN)
      .max(largestN)
      .refine((n) => (n & (n - 1)) === 0),
    r: z.literal(cost.r),
    p: z.literal(cost.p),
    salt: base64Of(saltLength),
  }),
  cipher: z.literal(cipher),
  iv: base64Of(ivLength),
  /** The SSH key blob, base64. */
  publicKey: z.base64().refine((text) => {
    const blob = Buffer.from(text, 'base64');
    return readPublicKey(blob) !== null && blob.toString('base64') === text;
  }),
  /** Ciphertext of the scalar, then the tag. */
  sealed: base64Of(scalarLength + tagLength),
  /**
   * SHA-256 over everything else, hex. It tells a damaged file from a wrong passphrase, nothing
   * more: what protects the key from a forger is the tag.
   */
  checksum: z.string(),
});

export type SealedKey = z.infer<typeof sealedKeySchema>;

/** A private key that is open in memory, for one signature. */
export interface OpenedKey {
  /** The SSH key blob. */
  readonly publicKey: Buffer;
  /** The signature blob over `data`. Closes the key; throws when it is closed already. */
  sign(data: Uint8Array): Buffer;
  /** Fills the private key with zeros. May be called again. */
  close(): void;
  /** That its owner was verified for this one signature, where that can be shown to others. */
  readonly receipt?: Readonly<Record<string, string>>;
}

/**
 * Seals `key`. Takes about half a second and 128 MiB, off the event loop. Zeroes neither argument:
 * both are the caller's. Throws on an empty passphrase.
 */
export async function sealKey(key: P256Key, passphrase: Uint8Array): Promise<SealedKey> {
  if (passphrase.length === 0) throw new RangeError('empty passphrase');
  const salt = randomBytes(saltLength);
  const iv = randomBytes(ivLength);
  const secret = await derive(passphrase, salt, cost.N);
  try {
    const seal = createCipheriv(cipher, secret, iv, { authTagLength: tagLength });
    seal.setAAD(key.publicKey);
    const sealed = Buffer.concat([seal.update(key.scalar), seal.final(), seal.getAuthTag()]);
    const contents = {
      format: 'vmux-sealed-p256',
      v: 1,
      kdf: { name: 'scrypt', ...cost, salt: salt.toString('base64') },
      cipher,
      iv: iv.toString('base64'),
      publicKey: key.publicKey.toString('base64'),
      sealed: sealed.toString('base64'),
    } as const;
    return { ...contents, checksum: checksumOf(contents) };
  } finally {
    secret.fill(0);
  }
}

/** A new key that exists only sealed once this resolves. `passphrase` is the caller's to zero. */
export async function createSealedKey(passphrase: Uint8Array): Promise<SealedKey> {
  const key = generateP256Key();
  try {
    return await sealKey(key, passphrase);
  } finally {
    key.scalar.fill(0);
  }
}

/** The text of a key file. */
export function encodeSealedKey(sealed: SealedKey): string {
  return `${JSON.stringify(sealed, null, 2)}\n`;
}

/** `null` when `text` is no intact sealed key, or one with costs that this program refuses. */
export function readSealedKey(text: string): SealedKey | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = sealedKeySchema.safeParse(json);
  return parsed.success && parsed.data.checksum === checksumOf(parsed.data) ? parsed.data : null;
}

/**
 * `'wrong'` when the passphrase does not open it (or a forger, who can make the checksum right,
 * changed it). Rejects only when scrypt cannot run, for want of memory. `passphrase` is the
 * caller's to zero.
 */
export async function openKey(
  sealed: SealedKey,
  passphrase: Uint8Array,
): Promise<OpenedKey | 'wrong'> {
  if (passphrase.length === 0) return 'wrong';
  const secret = await derive(passphrase, Buffer.from(sealed.kdf.salt, 'base64'), sealed.kdf.N);
  const publicKey = Buffer.from(sealed.publicKey, 'base64');
  const bytes = Buffer.from(sealed.sealed, 'base64');
  const unseal = createDecipheriv(cipher, secret, Buffer.from(sealed.iv, 'base64'), {
    authTagLength: tagLength,
  });
  secret.fill(0);
  unseal.setAAD(publicKey);
  unseal.setAuthTag(bytes.subarray(scalarLength));
  const scalar = unseal.update(bytes.subarray(0, scalarLength));
  try {
    unseal.final();
  } catch {
    scalar.fill(0);
    return 'wrong';
  }
  return openedKey({ scalar, publicKey });
}

function openedKey(key: P256Key): OpenedKey {
  let open = true;
  function close(): void {
    open = false;
    key.scalar.fill(0);
  }
  return {
    publicKey: key.publicKey,
    sign(data) {
      if (!open) throw new Error('the key is closed: it was opened for one signature');
      try {
        return signWithP256(key, data);
      } finally {
        close();
      }
    },
    close,
  };
}

/** OpenSSL wants a little more than 128 · N · r bytes; twice that is never too little. */
function derive(passphrase: Uint8Array, salt: Uint8Array, N: number): Promise<Buffer> {
  const options: ScryptOptions = { N, r: cost.r, p: cost.p, maxmem: 2 * 128 * N * cost.r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, options, (error, secret) => {
      if (error) reject(error);
      else resolve(secret);
    });
  });
}

function checksumOf({ kdf, ...rest }: Omit<SealedKey, 'checksum'>): string {
  const covered = [
    rest.format,
    rest.v,
    [kdf.name, kdf.N, kdf.r, kdf.p, kdf.salt],
    rest.cipher,
    rest.iv,
    rest.publicKey,
    rest.sealed,
  ];
  return createHash('sha256').update(JSON.stringify(covered)).digest('hex');
}
