/** Requests with proofs of where they go, by host keys that the test holds: true ones and forged. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import type { SessionBind } from '../../adapters/wire/session-bind.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import { hostKeyPair, type HostKeyPair } from '../adapters/host-key-examples.ts';
import { hostboundLogin, login, str } from '../adapters/keys-examples.ts';

export const newHost = (): HostKeyPair => hostKeyPair('ssh-ed25519');

/** `TYPE BASE64`, as `signer hosts add` takes it. */
export const keyLine = ({ keyType, blob }: HostKeyPair) => `${keyType} ${blob.toString('base64')}`;

export const fingerprintOf = ({ blob }: HostKeyPair) => fingerprint(blob);

export const newSession = () => randomBytes(32);

/** The bind that a server with this key makes of a session, with the given parts replaced. */
export function bindOf(
  host: HostKeyPair,
  sessionId: Uint8Array,
  change: Partial<SessionBind> = {},
): SessionBind {
  return {
    hostKey: host.blob,
    sessionId,
    signature: host.sign(sessionId),
    isForwarding: false,
    ...change,
  };
}

type Key = Pick<PublicIdentity, 'fingerprint' | 'publicKey'>;

const keyBlobOf = ({ publicKey }: Key) => Buffer.from(publicKey, 'base64');

/** The bytes of a login as `root` that name the host key. */
export function hostboundBytes(key: Key, sessionId: Uint8Array, hostKey: Uint8Array): Buffer {
  return hostboundLogin({ keyBlob: keyBlobOf(key), sessionId, user: 'root', after: str(hostKey) });
}

/** The bytes of a login as `root` that do not. */
export function plainBytes(key: Key, sessionId: Uint8Array): Buffer {
  return login({ keyBlob: keyBlobOf(key), sessionId, user: 'root' });
}

export type ProvenMessage = ReturnType<typeof signRequest>;

/** The link's message that asks for it; `host` is `web` at port 22 unless the change says otherwise. */
export function signRequest(
  { fingerprint }: Key,
  data: Uint8Array,
  binds: readonly SessionBind[],
  change: { host?: string; port?: number; code?: string; ttl?: number; sheetTtl?: number } = {},
) {
  return {
    t: 'sign',
    id: randomUUID(),
    ttl: 19_750,
    queueTtl: 59_750,
    sheetTtl: 19_750,
    host: 'web',
    port: 22,
    user: 'root',
    code: String(randomInt(100)).padStart(2, '0'),
    fingerprint,
    data: Buffer.from(data).toString('base64'),
    binds: binds.map(({ hostKey, sessionId, signature, isForwarding }) => ({
      hostKey: Buffer.from(hostKey).toString('base64'),
      sessionId: Buffer.from(sessionId).toString('base64'),
      signature: Buffer.from(signature).toString('base64'),
      isForwarding,
    })),
    ...change,
  } as const;
}

/** What a well-meaning headset asks for: a login that proves where it goes. */
export function provenRequest(
  key: Key,
  host: HostKeyPair,
  change: Parameters<typeof signRequest>[3] = {},
): ProvenMessage {
  const sessionId = newSession();
  const bytes = hostboundBytes(key, sessionId, host.blob);
  return signRequest(key, bytes, [bindOf(host, sessionId)], change);
}
