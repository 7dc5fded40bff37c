/**
 * The contract of every injected actor: its input, the commands it takes and the facts it reports.
 *
 * Charts know these types and nothing else of the world. A placeholder stands behind each port; it
 * throws when started, so a machine that was not given its adapters says which one is missing.
 *
 * Facts and commands carry ids and hashes only. Challenges, passphrases, opened keys and signatures
 * stay in the adapters, addressed by request id, and are erased when the request ends.
 */
import { type CallbackActorLogic, type EventObject, type NonReducibleUnknown } from 'xstate';
import type { FailureReason } from './failures.ts';

/** A port that takes commands and reports facts. */
export type CallbackPort<
  Command extends EventObject,
  Input extends NonReducibleUnknown,
> = CallbackActorLogic<Command, Input>;

/** What stands behind a port that was not provided. */
export function missing(port: string): never {
  throw new Error(`port "${port}" was not provided`);
}
/** `at`: when the fact happened, in milliseconds of the process's monotonic clock. */
export interface Timed {
  at: number;
}

/** What is public about an identity. `publicKey` is the SSH key blob (RFC 4253 §6.6), base64. */
export interface PublicIdentity {
  /** `SHA256:…`, unpadded base64, as `ssh-keygen -l` prints it. */
  fingerprint: string;
  label: string;
  algorithm: string;
  publicKey: string;
  /**
   * Fingerprints of the host keys that it may log in to; without it, any. The phone decides; this
   * spares a headset from offering a key in vain.
   */
  onlyFor?: string[];
}

/** A paired phone as the headset's charts know it. */
export interface Phone {
  id: string;
  name: string;
}

/** Where a listener can be reached: an IP address or host name, and a TCP port. */
export interface Endpoint {
  address: string;
  port: number;
}

export type DenialReason = Extract<FailureReason, 'denied' | 'wrongPassphrase' | 'wrongCode'>;

/** Why a phone did not sign although nobody denied. */
export type SignerFailure = Extract<
  FailureReason,
  | 'identityDisabled'
  | 'identityUnknown'
  | 'requestUnreadable'
  | 'requestMismatch'
  | 'requestIdReused'
  | 'phoneBusy'
  | 'deviceMuted'
  | 'coolingDown'
  | 'proofInvalid'
  | 'proofRequired'
  | 'destinationChanged'
  | 'destinationNotAllowed'
  | 'vouchedRefused'
  | 'forwardedUnproven'
  | 'forwardingRefused'
  | 'hopNotListed'
  | 'signingFailed'
  | 'verificationUnavailable'
  | 'badSignature'
>;

/** The DNS-SD type of a phone's link (RFC 6763 §7). */
export const SIGNER_SERVICE_TYPE = '_vmux-signer._tcp';
