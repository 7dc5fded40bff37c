/**
 * A phone's own authenticator and its browser, in software: makes passkeys and signs with them as
 * real ones do (WebAuthn Level 3 §6, CTAP 2.1). Everything is written by hand from the standards, by
 * no code of the program.
 */
import { Buffer } from 'node:buffer';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { PublicIdentity } from '../../machines/ports.ts';

export interface AuthenticatorOptions {
  rpId: string;
  origin: string;
  /** A passkey that other devices share: it does not count its signatures. */
  synced: boolean;
  /** It answers hmac-secret (PRF), and so signs extension data, too. */
  hmacSecret: boolean;
}

/** What it, and the browser around it, say and sign this time. */
export interface Behaviour {
  userPresent: boolean;
  userVerified: boolean;
  origin: string;
  type: string;
  crossOrigin: boolean;
  /** More members of the client data: `,"name":value`. */
  more: string;
  /** Of another relying party: the authenticator was asked by another page. */
  rpId: string;
  /** The credential's data again, as at its making. */
  attested: boolean;
  /** Flags that it signs the wrong way round. */
  flipped: number;
}

export type Authenticator = ReturnType<typeof createAuthenticator>;

const SK = 'sk-ecdsa-sha2-nistp256@openssh.com';
const WEBAUTHN_SK = `webauthn-${SK}`;

export function createAuthenticator(options: Partial<AuthenticatorOptions> = {}) {
  const {
    rpId = 'signer-7kq2.local',
    origin = `https://${rpId}:8443`,
    synced = false,
    hmacSecret = false,
  } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const [px, py] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  const point = Buffer.concat([Buffer.of(4), px, py]);
  const blob = Buffer.concat([SK, 'nistp256', point, rpId].map(string));
  const credentialId = randomBytes(32);
  const coseKey = cborMap([1, 2], [3, -7], [-1, 1], [-2, px], [-3, py]);
  let counter = 0;

  function clientData(type: string, challenge: Uint8Array, behaviour: Partial<Behaviour>): Buffer {
    const encoded = Buffer.from(challenge).toString('base64url');
    const { crossOrigin = false, more = '' } = behaviour;
    const members = `"type":"${behaviour.type ?? type}","challenge":"${encoded}","origin":"${behaviour.origin ?? origin}"`;
    return Buffer.from(`{${members},"crossOrigin":${crossOrigin}${more}}`);
  }

  function authenticatorData(extensions: Buffer, behaviour: Partial<Behaviour>): Buffer {
    const { userPresent = true, userVerified = true, attested = false, flipped = 0 } = behaviour;
    if (!synced) counter += 1;
    const flags =
      (userPresent ? 0x01 : 0) |
      (userVerified ? 0x04 : 0) |
      (synced ? 0x18 : 0) |
      (attested ? 0x40 : 0) |
      (extensions.length > 0 ? 0x80 : 0);
    const credential = [Buffer.alloc(16), u16(credentialId.length), credentialId, coseKey];
    return Buffer.concat([
      sha256(behaviour.rpId ?? rpId),
      Buffer.of(flags ^ flipped),
      u32(counter),
      ...(attested ? credential : []),
      extensions,
    ]);
  }

  /** navigator.credentials.create() */
  function create(challenge: Uint8Array, behaviour: Partial<Behaviour> = {}) {
    const extensions = hmacSecret ? cborMap(['hmac-secret', true]) : Buffer.alloc(0);
    return {
      clientDataJSON: clientData('webauthn.create', challenge, behaviour),
      authenticatorData: authenticatorData(extensions, { attested: true, ...behaviour }),
    };
  }

  /** navigator.credentials.get() */
  function get(challenge: Uint8Array, behaviour: Partial<Behaviour> = {}) {
    const secret = ['hmac-secret', randomBytes(48)] as const;
    const data = authenticatorData(hmacSecret ? cborMap(secret) : Buffer.alloc(0), behaviour);
    const clientDataJSON = clientData('webauthn.get', challenge, behaviour);
    const signed = Buffer.concat([data, sha256(clientDataJSON)]);
    return {
      clientDataJSON,
      authenticatorData: data,
      signature: sign('sha256', signed, privateKey),
    };
  }

  /** The SSH signature of `get`, whether or not anybody should take it. */
  const signSsh = (challenge: Uint8Array, behaviour: Partial<Behaviour> = {}) =>
    packForSsh(get(challenge, behaviour), behaviour.origin ?? origin);

  const identity: PublicIdentity = {
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    label: 'passkey',
    algorithm: SK,
    publicKey: blob.toString('base64'),
  };
  return {
    rpId,
    origin,
    credentialId,
    point,
    blob,
    identity,
    /** Its key in authorized_keys, without options. */
    line: `${SK} ${blob.toString('base64')} passkey`,
    create,
    get,
    signSsh,
  };
}

/** OpenSSH PROTOCOL.u2f, "SSH U2F signatures", of an assertion without credential data. */
export function packForSsh(
  assertion: { clientDataJSON: Buffer; authenticatorData: Buffer; signature: Buffer },
  origin: string,
): Buffer {
  const { clientDataJSON, authenticatorData, signature } = assertion;
  // DER's INTEGERs are SSH's mpints.
  const rLength = signature[3] ?? 0;
  const [r, s] = [signature.subarray(4, 4 + rLength), signature.subarray(6 + rLength)];
  return Buffer.concat([
    string(WEBAUTHN_SK),
    string(Buffer.concat([string(r), string(s)])),
    authenticatorData.subarray(32, 37),
    string(origin),
    string(clientDataJSON),
    string(authenticatorData.subarray(37)),
  ]);
}

type Cbor = number | string | boolean | Uint8Array | readonly Cbor[];

/** CBOR (RFC 8949) in the order given. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value);
  if (typeof value === 'string') {
    const utf8 = Buffer.from(value);
    return Buffer.concat([cborHead(3, utf8.length), utf8]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([cborHead(2, value.length), value]);
  return Buffer.concat([cborHead(4, value.length), ...value.map(cbor)]);
}

export function cborMap(...entries: (readonly [key: Cbor, value: Cbor])[]): Buffer {
  return Buffer.concat([cborHead(5, entries.length), ...entries.flat().map(cbor)]);
}

export function cborHead(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.of(type | argument);
  if (argument < 256) return Buffer.of(type | 24, argument);
  if (argument < 65_536) return Buffer.concat([Buffer.of(type | 25), u16(argument)]);
  return Buffer.concat([Buffer.of(type | 26), u32(argument)]);
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();

const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([u32(bytes.length), bytes]);
}
