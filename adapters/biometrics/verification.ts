/**
 * The person's verification by something they know: a passphrase that opens the sealed key. Every
 * way of asking for it (the terminal's sheet, a script) goes through here.
 */
import type { Buffer } from 'node:buffer';
import { fromPromise, type PromiseActorLogic } from 'xstate';
import type { BiometricsInput, Verification } from '../../machines/phone/ports.ts';

export interface OpeningParts<Key extends { close(): void }> {
  /** `'wrong'` when the passphrase does not open the key of this fingerprint. */
  openKey(fingerprint: string, passphrase: Buffer): Promise<Key | 'wrong'>;
  /**
   * Keeps the opened key for the signature of `ref`; closes it when `signal` is aborted, which is
   * when the machine stops wanting this verification.
   */
  keep(ref: string, key: Key, signal: AbortSignal): void;
}

/** Why the person could not be verified at all. A plain object, so that its event replays. */
export interface VerificationRejection {
  name: string;
  message: string;
}

/**
 * One verification. Rejects with a `VerificationRejection`. `signal` is aborted when the machine
 * stops wanting it.
 */
export type Verify = (input: BiometricsInput, signal: AbortSignal) => Promise<Verification>;

/** The biometrics port. */
export const verificationPort = (
  verify: Verify,
): PromiseActorLogic<Verification, BiometricsInput> =>
  fromPromise(({ input, signal }) => verify(input, signal));

/**
 * Verification by a passphrase from `ask`; `null` means that there is none. `refused` is a wrong
 * passphrase. Rejects when the key cannot be read or nothing was asked. The passphrase is zeroed in
 * every case, and a key that is opened after the machine has moved on is closed.
 */
export function byPassphrase<Key extends { close(): void }>(
  ask: (input: BiometricsInput) => Promise<Buffer | null> | Buffer | null,
  parts: OpeningParts<Key>,
): Verify {
  return async (input, signal) => {
    let passphrase: Buffer | null = null;
    try {
      passphrase = await ask(input);
      if (passphrase === null) throw new NoPassphrase();
      if (signal.aborted) return { verdict: 'refused' };
      const opened = await parts.openKey(input.fingerprint, passphrase);
      if (opened === 'wrong') return { verdict: 'refused' };
      if (signal.aborted) {
        opened.close();
        return { verdict: 'refused' };
      }
      parts.keep(input.ref, opened, signal);
      return { verdict: 'verified' };
    } catch (error) {
      throw plain(error);
    } finally {
      passphrase?.fill(0);
    }
  };
}

class NoPassphrase extends Error {
  override readonly name = 'NoPassphrase';
  override readonly message = 'no passphrase was given for this request';
}

function plain(error: unknown): VerificationRejection {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Unknown', message: 'verification failed' };
}
