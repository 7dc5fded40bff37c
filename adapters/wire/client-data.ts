/**
 * WebAuthn's clientDataJSON (WebAuthn Level 2 §5.8.1): what the browser says of the page that asked,
 * and of what was asked. Its hash is what an authenticator signs.
 */
import { Buffer } from 'node:buffer';
import { decodeUtf8 } from './wire-reader.ts';

export interface ExpectedClientData {
  type: 'webauthn.create' | 'webauthn.get';
  /** The exact bytes. */
  challenge: Uint8Array;
  /** As a browser writes it. */
  origin: string;
}

export type ClientDataProblem =
  'clientDataMalformed' | 'otherType' | 'otherChallenge' | 'otherOrigin' | 'crossOrigin';

/**
 * What client data has up to the end of its origin, in the only order that there is (§5.8.1.1).
 * OpenSSH compares these bytes and looks at nothing after them (ssh-ecdsa-sk.c).
 */
export function clientDataBeginning({ type, challenge, origin }: ExpectedClientData): string {
  const encoded = Buffer.from(challenge).toString('base64url');
  return `{"type":"${type}","challenge":"${encoded}","origin":${JSON.stringify(origin)}`;
}

/**
 * Why `clientData` is not what is expected; `null`: it is. Members that are not known are allowed,
 * since browsers add some; a page in a frame of another origin is not.
 */
export function clientDataProblem(
  clientData: Uint8Array,
  expected: ExpectedClientData,
): ClientDataProblem | null {
  const text = decodeUtf8(clientData);
  const said = text === null ? null : parseObject(text);
  if (text === null || said === null) return 'clientDataMalformed';
  const { type, challenge, origin, crossOrigin = false } = said;
  if (type !== expected.type) return 'otherType';
  if (challenge !== Buffer.from(expected.challenge).toString('base64url')) return 'otherChallenge';
  if (origin !== expected.origin) return 'otherOrigin';
  if (crossOrigin !== false || 'topOrigin' in said) return 'crossOrigin';
  return text.startsWith(clientDataBeginning(expected)) ? null : 'clientDataMalformed';
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
