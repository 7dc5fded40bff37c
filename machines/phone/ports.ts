/** The ports of the phone's chart: the network, its links, the sheet, the person, the keys. */
import { fromCallback, fromEventObservable, fromPromise, type ObservableActorLogic } from 'xstate';
import type { Badge } from './destination.ts';
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

/** A host key as the charts know it. */
export interface HostKey {
  /** `SHA256:…` of the plain key, also where a certificate was shown. */
  fingerprint: string;
  keyType: string;
}

/** Why a host certificate does not stand for the host that was named. */
export type CertificateProblem =
  'expired' | 'notYetValid' | 'otherHost' | 'userCertificate' | 'criticalOptions' | 'badSignature';

/** What the bytes and the session binds of a request prove of where it goes. */
export interface Proof {
  /**
   * `bound`: the signed bytes name the host key, and that host has signed their session id.
   * `vouched`: a host has signed the session id, which another host could have relayed to it.
   */
  strength: 'bound' | 'vouched' | 'none';
  /** `null` exactly when the strength is `none`. */
  host:
    (HostKey & { certificate: { ca: string; problem: CertificateProblem | null } | null }) | null;
  /** The hosts through which the agent was forwarded, first hop first. `proven`: checked here. */
  hops: (HostKey & { proven: boolean })[];
  /** Why the strength is `none`. */
  why: 'noBind' | 'unsupportedHostKey' | 'signature' | null;
}

/** One sign request as the phone's charts know it. */
export interface SignRequest {
  /** Unique on this phone: `<deviceId>/<requestId>`. */
  ref: string;
  linkId: string;
  deviceId: string;
  deviceName: string;
  /** As typed on the headset: a claim. Empty: it named none. */
  host: string;
  /** A claim, too; 0 with an unnamed host. */
  port: number;
  /** Two digits that the headset shows beside its waiting line. */
  code: string;
  proof: Proof;
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
  | { type: 'listener.unseen'; ref: string; linkId: string }
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
      deviceName: string;
      /** As the headset says. */
      host: string;
      user: string;
      reason: Extract<
        SignerFailure,
        'requestUnreadable' | 'requestMismatch' | 'requestIdReused' | 'proofInvalid'
      >;
    }
  | { type: 'request.withdrawn'; ref: string };

export interface Sheet {
  ref: string;
  deviceName: string;
  host: string;
  port: number;
  badge: Badge;
  /** The hosts through which the agent was forwarded, by the name of their pin, else by fingerprint. */
  hops: string[];
  user: string;
  label: string;
  fingerprint: string;
  kind: RequestKind;
  detail: string | null;
  /** Milliseconds until it expires. */
  ttl: number;
  /** To be compared with the headset's; `null`: the person has to read it there and type it here. */
  code: string | null;
  /** Approving may also pin the host key under the name that was typed. */
  canPin: boolean;
  /** How many requests are equal to it, itself included. */
  equal: number;
  /** How many others wait behind it. */
  waiting: number;
}

/** A request that was turned down without a sheet, for a line on the screen. */
export interface Refused {
  ref: string;
  deviceName: string;
  host: string;
  user: string;
  /** `null`: the bytes could not be read, or say something else than the headset. */
  kind: RequestKind | null;
  reason: SignerFailure;
}

export type SheetCommand =
  | ({ type: 'sheet.show' } & Sheet)
  /** From now on what the person types counts, as the code on the headset. */
  | { type: 'sheet.askCode'; ref: string }
  /** The code was another one. */
  | { type: 'sheet.wrongCode'; ref: string; triesLeft: number }
  /** From now on what the person types counts, as their answer. */
  | { type: 'sheet.accept'; ref: string }
  | { type: 'sheet.pinning'; ref: string; pin: boolean }
  | { type: 'sheet.count'; ref: string; equal: number; waiting: number }
  | ({ type: 'sheet.refused' } & Refused)
  /** The passphrase was wrong. */
  | { type: 'sheet.retry'; ref: string; triesLeft: number }
  | { type: 'sheet.verifying'; ref: string }
  | { type: 'sheet.close'; ref: string; outcome: Answer['outcome'] };

export type SheetFact =
  | { type: 'sheet.shown'; ref: string }
  /** It is up where nobody looks: no page that could show it is before its person. */
  | { type: 'sheet.unseen'; ref: string }
  | { type: 'user.code'; ref: string; code: string }
  /** Whether an approval is to pin the host key as well. */
  | { type: 'user.pin'; ref: string; pin: boolean }
  | { type: 'user.approve'; ref: string }
  | { type: 'user.deny'; ref: string };

export type PinsCommand =
  /** Remember that this name, port and key type has this key. */
  | ({ type: 'pins.add'; name: string; port: number } & HostKey)
  /** This host offers hostbound authentication: plain bytes for it are a downgrade from now on. */
  | { type: 'pins.noteHostbound'; fingerprint: string };

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

export const pinsPort: CallbackPort<PinsCommand, undefined> = fromCallback(() => missing('pins'));

export const biometricsPort = fromPromise<Verification, BiometricsInput>(() =>
  missing('biometrics'),
);

export const keysPort = fromPromise<Signing, SigningInput>(() => missing('keys'));
