/** The person's verification at the phone's terminal: the passphrase typed into the sheet. */
import type { Buffer } from 'node:buffer';
import type { PromiseActorLogic } from 'xstate';
import type { BiometricsInput, Verification } from '../../machines/phone/ports.ts';
import { byPassphrase, verificationPort, type OpeningParts } from './verification.ts';

export interface PassphraseParts<Key extends { close(): void }> extends OpeningParts<Key> {
  /**
   * What the person typed for exactly this request, once; `null` when there is nothing. It is
   * zeroed here.
   */
  takePassphrase(ref: string): Buffer | null;
}

/** The biometrics port. Its outcomes are those of `byPassphrase`. */
export function createPassphraseVerification<Key extends { close(): void }>(
  parts: PassphraseParts<Key>,
): PromiseActorLogic<Verification, BiometricsInput> {
  return verificationPort(byPassphrase(({ ref }) => parts.takePassphrase(ref), parts));
}
