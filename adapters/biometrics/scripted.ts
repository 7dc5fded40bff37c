/**
 * A scripted person, for tests and the demo. It exists in process only: no flag or variable of the
 * `signer` program reaches it.
 */
import { Buffer } from 'node:buffer';
import type { PromiseActorLogic } from 'xstate';
import type { BiometricsInput, Verification } from '../../machines/phone/ports.ts';
import { byPassphrase, verificationPort, type OpeningParts } from './verification.ts';

/** What the scripted person types for a request, as late as they like. */
export type Script = (input: BiometricsInput) => Promise<string> | string;

/**
 * The biometrics port. It opens the sealed key as the terminal's does, so a script with the wrong
 * passphrase is refused; outcomes are those of `byPassphrase`.
 */
export function createScriptedVerification<Key extends { close(): void }>(
  script: Script,
  parts: OpeningParts<Key>,
): PromiseActorLogic<Verification, BiometricsInput> {
  return verificationPort(
    byPassphrase(async (input) => Buffer.from(await script(input), 'utf8'), parts),
  );
}
