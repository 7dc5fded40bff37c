/** What a sheet needs of the browser. */
import type {
  Credential,
  PageAssertion,
  SealedByPasskey,
} from '../../../../adapters/phone-page/protocol.ts';
import type { Bytes } from './bytes.ts';

export interface Ceremony {
  /** Ends the wait: the browser takes its sheet away. */
  signal: AbortSignal;
  /** Milliseconds. */
  timeout: number;
  /** Of a sealed key: input of the passkey's PRF. */
  salt: Bytes | null;
}

export interface Asserted {
  assertion: PageAssertion;
  /** The PRF output, 32 bytes: to be overwritten as soon as it was used. `null`: none came. */
  secret: Bytes | null;
}

/**
 * The passkey's signature over `challenge`: those very bytes, not a copy. The browser is asked
 * before it returns. `null`: cancelled, too late, not verified, or no such passkey; the browser does
 * not say which.
 */
export type AssertOver = (
  challenge: Bytes,
  credential: Credential,
  ceremony: Ceremony,
) => Promise<Asserted | null>;

/** The sealed keys that this browser keeps, by the fingerprint of the key inside. */
export interface SealedCopies {
  find(keyFingerprint: string): SealedByPasskey | null;
  keep(keyFingerprint: string, sealed: SealedByPasskey): void;
  drop(keyFingerprint: string): void;
}
