/** The ports of the phone's chart: the network, its links, the sheet, the person, the keys. */
import { fromCallback, fromEventObservable, fromPromise, type ObservableActorLogic } from 'xstate';
import {
  missing,
  type CallbackPort,
  type DenialReason,
  type PublicIdentity,
  type SignerFailure,
} from '../ports.ts';

export interface AdvertiseInput {
  serviceType: string;
  port: number;
}

export type AdvertiseFact =
  | { type: 'advertiser.published'; instance: string }
  | { type: 'advertiser.unavailable'; detail: string };

export type RequestKind = 'publickey' | 'hostbound' | 'certificate' | 'sshsig';

/** One sign request as the phone's charts know it. */
export interface SignRequest {
  /** Unique on this phone: `<deviceId>/<requestId>`. */
  ref: string;
  linkId: string;
  deviceId: string;
  deviceName: string;
  /** As typed on the headset: a claim. */
  host: string;
  /** From the bytes to be signed. */
  user: string;
  fingerprint: string;
  challengeHash: string;
  kind: RequestKind;
  /** One more line for the sheet: a certificate's CA and principals, an SSHSIG namespace. */
  detail: string | null;
  ttl: number;
  queueTtl: number;
  sheetTtl: number;
}

export type ListenerCommand =
  | { type: 'listener.advertise'; identities: PublicIdentity[] }
  | { type: 'listener.queued'; ref: string; linkId: string }
  | { type: 'listener.presented'; ref: string; linkId: string }
  | { type: 'listener.answer'; ref: string; linkId: string; answer: Answer };

/** How a request ended. `signed` sends the signature that the keys adapter left under `ref`. */
export type Answer =
  | { outcome: 'signed' }
  | { outcome: 'denied'; why: DenialReason }
  | { outcome: 'expired' }
  | { outcome: 'withdrawn' }
  | { outcome: 'failed'; reason: SignerFailure };

export type ListenerFact =
  | { type: 'link.opened'; linkId: string; deviceId: string; deviceName: string }
  | { type: 'link.closed'; linkId: string; detail: string }
  | ({ type: 'request.received' } & SignRequest)
  /** The bytes are not something this phone signs, or differ from what was claimed of them. */
  | {
      type: 'request.unreadable';
      ref: string;
      linkId: string;
      reason: Extract<SignerFailure, 'requestUnreadable' | 'requestMismatch' | 'requestIdReused'>;
    }
  | { type: 'request.withdrawn'; ref: string };

export interface Sheet {
  ref: string;
  deviceName: string;
  host: string;
  user: string;
  label: string;
  fingerprint: string;
  kind: RequestKind;
  detail: string | null;
  /** Milliseconds until it expires. */
  ttl: number;
  /** How many requests wait behind it. */
  waiting: number;
}

export type SheetCommand =
  | ({ type: 'sheet.show' } & Sheet)
  /** From now on what the person types counts. */
  | { type: 'sheet.accept'; ref: string }
  /** The passphrase was wrong. */
  | { type: 'sheet.retry'; ref: string; triesLeft: number }
  | { type: 'sheet.verifying'; ref: string }
  | { type: 'sheet.close'; ref: string; outcome: Answer['outcome'] };

export type SheetFact =
  | { type: 'sheet.shown'; ref: string }
  | { type: 'user.approve'; ref: string }
  | { type: 'user.deny'; ref: string };

export interface BiometricsInput {
  ref: string;
  fingerprint: string;
}

export interface Verification {
  verdict: 'verified' | 'refused';
}

export interface SigningInput {
  ref: string;
  fingerprint: string;
  challengeHash: string;
}

export interface Signing {
  signatureHash: string;
}

export const advertisePort: ObservableActorLogic<AdvertiseFact, AdvertiseInput> =
  fromEventObservable(() => missing('advertiser'));

export const listenerPort: CallbackPort<ListenerCommand, undefined> = fromCallback(() =>
  missing('listener'),
);

export const sheetPort: CallbackPort<SheetCommand, undefined> = fromCallback(() =>
  missing('sheet'),
);

export const biometricsPort = fromPromise<Verification, BiometricsInput>(() =>
  missing('biometrics'),
);

export const keysPort = fromPromise<Signing, SigningInput>(() => missing('keys'));
