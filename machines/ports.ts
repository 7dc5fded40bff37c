/**
 * The contract of every injected actor: its input, the commands it takes and the facts it reports.
 *
 * Charts know these types and nothing else of the world. A placeholder stands behind each port; it
 * throws when started, so a machine that was not given its adapters says which one is missing.
 *
 * Facts and commands carry ids and hashes only. Challenges, passphrases, opened keys and signatures
 * stay in the adapters, addressed by request id, and are erased when the request ends.
 */
import {
  fromCallback,
  fromEventObservable,
  fromPromise,
  type CallbackActorLogic,
  type EventObject,
  type NonReducibleUnknown,
  type ObservableActorLogic,
} from 'xstate';
import type { FailureReason } from './failures.ts';

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

// ── ssh: one SSH connection (headset) ────────────────────────────────────────────────────────────

export interface SshInput {
  /** As the person typed it: an ssh_config alias, a DNS name or an address. */
  host: string;
  /** `null`: what ssh_config says, else 22. */
  port: number | null;
  /** `null`: what ssh_config says, else the local user's name. */
  user: string | null;
}

export type SshCommand =
  | { type: 'ssh.acceptHostKey' }
  | { type: 'ssh.rejectHostKey' }
  /** Offer these identities without signatures (RFC 4252 §7), one at a time, in this order. */
  | { type: 'ssh.offer'; identities: PublicIdentity[] }
  /** Give the server the signature that was made for this request. */
  | { type: 'ssh.handOver'; requestId: string };

export type SshFact = Timed &
  (
    | { type: 'ssh.resolved'; hostname: string; port: number; user: string }
    | { type: 'ssh.hostKeyKnown'; fingerprint: string; keyType: string }
    | { type: 'ssh.hostKeyUnknown'; fingerprint: string; keyType: string }
    | { type: 'ssh.hostKeyChanged'; fingerprint: string; keyType: string; known: string }
    | { type: 'ssh.hostKeyRevoked'; fingerprint: string; keyType: string }
    /** `none` was refused; publickey is among the methods that can continue. */
    | { type: 'ssh.publickeyWanted'; methods: string[] }
    | { type: 'ssh.publickeyNotOffered'; methods: string[] }
    | { type: 'ssh.identityRefused'; fingerprint: string }
    /** SSH_MSG_USERAUTH_PK_OK. The challenge waits in the adapter under `requestId`. */
    | {
        type: 'ssh.identityAccepted';
        fingerprint: string;
        requestId: string;
        challengeHash: string;
      }
    /** The server took none of the offered identities, or refused the signature. */
    | { type: 'ssh.permissionDenied'; methods: string[] }
    | { type: 'ssh.authenticated' }
    /** `status` or `signal` when the remote program ended; both `null` when the connection did. */
    | { type: 'ssh.closed'; status: number | null; signal: string | null; detail: string }
    | { type: 'ssh.failed'; reason: SshFailure; detail: string }
  );

export type SshFailure = Extract<
  FailureReason,
  | 'hostNotFound'
  | 'connectionRefused'
  | 'hostUnreachable'
  | 'notAnSshServer'
  | 'noCommonAlgorithm'
  | 'badHostKeySignature'
  | 'sshConfigUnusable'
  | 'commandRefused'
  | 'serverClosed'
>;

// ── link, as one connection or one signing sees it (headset) ─────────────────────────────────────

export interface SignerLinkInput {
  /** Which flow asks; answers find their way back by it. */
  flowId: string;
}

export type SignerLinkCommand =
  /** A phone is needed now: look again if the last search ended with nothing. */
  | { type: 'link.want' }
  | {
      type: 'link.send';
      requestId: string;
      fingerprint: string;
      phoneId: string;
      /** As typed. */
      host: string;
      user: string;
      /** Milliseconds that the sheet may stay if it is shown at once. */
      ttl: number;
      /** Milliseconds that the request may wait behind another sheet. */
      queueTtl: number;
      /** Milliseconds that the sheet may stay once it is shown after waiting. */
      sheetTtl: number;
    }
  | { type: 'link.withdraw'; requestId: string };

export type SignerLinkFact = Timed &
  (
    | { type: 'link.up'; phone: Phone; identities: PublicIdentity[] }
    | { type: 'link.lost' }
    /** The search's first window passed and nothing on the network answered. */
    | { type: 'link.nothingFound' }
    | { type: 'link.unusable'; reason: LinkFailure }
    | { type: 'signer.queued'; requestId: string }
    | { type: 'signer.presented'; requestId: string }
    /** The signature was verified over the challenge; it waits in the adapter. */
    | { type: 'signer.signed'; requestId: string; signatureHash: string }
    | { type: 'signer.denied'; requestId: string; why: DenialReason }
    | { type: 'signer.expired'; requestId: string }
    | { type: 'signer.failed'; requestId: string; reason: SignerFailure }
  );

/** What keeps a link from coming up that no waiting cures. */
export type LinkFailure = Extract<
  FailureReason,
  'noPhonePaired' | 'phoneForgotHeadset' | 'updateVmux' | 'updateSigner'
>;

export type DenialReason = Extract<FailureReason, 'denied' | 'wrongPassphrase'>;

/** Why a phone did not sign although nobody denied. */
export type SignerFailure = Extract<
  FailureReason,
  | 'identityDisabled'
  | 'identityUnknown'
  | 'requestUnreadable'
  | 'requestMismatch'
  | 'requestIdReused'
  | 'phoneBusy'
  | 'signingFailed'
  | 'verificationUnavailable'
  | 'badSignature'
>;

// ── the link machine's own ports (headset) ───────────────────────────────────────────────────────

/** DNS-SD browsing (RFC 6763), as an observable of these. */
export type PeerFact =
  | { type: 'peer.found'; instance: string; endpoints: Endpoint[] }
  | { type: 'peer.gone'; instance: string };

export interface BrowseInput {
  serviceType: string;
}

export type ConnectorCommand =
  /** Dial these; the first paired phone to answer is reported, and only that one. */
  | { type: 'connector.dial'; endpoints: Endpoint[] }
  /** Exchange `hello` with the phone that answered. */
  | { type: 'connector.secure' }
  /** Drop the link and every dial under way. */
  | { type: 'connector.close' };

export type ConnectorFact =
  /** TLS is up and the certificate is that of a paired phone. */
  | { type: 'peer.answered'; endpoint: Endpoint; phone: Phone }
  | { type: 'peer.unreachable'; endpoint: Endpoint; detail: string }
  | { type: 'peer.refused'; endpoint: Endpoint; reason: LinkFailure }
  | {
      type: 'link.established';
      phone: Phone;
      endpoint: Endpoint;
      protocol: number;
      identities: PublicIdentity[];
    }
  | { type: 'link.identitiesChanged'; identities: PublicIdentity[] }
  /** `jitter`: uniform in [0, 1), for the backoff. */
  | { type: 'link.dropped'; detail: string; jitter: number }
  /** The phone said that it no longer is paired with this headset. */
  | { type: 'link.unpaired'; phone: Phone };

// ── the signer machine's ports (phone) ───────────────────────────────────────────────────────────

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

// ── pairing ──────────────────────────────────────────────────────────────────────────────────────

export interface PairingInput {
  /** The name this device gives itself; the other side shows and keeps it. */
  deviceName: string;
}

export type HeadsetPairingCommand = { type: 'pairing.confirm' } | { type: 'pairing.decline' };

export type HeadsetPairingFact =
  /** Both nonces are revealed and the commitment holds: the six digits can be shown. */
  | { type: 'pairing.digitsReady'; peerName: string; pin: string }
  | { type: 'pairing.digitsMatched' }
  | { type: 'pairing.digitsDiffered' }
  | { type: 'pairing.completed'; phone: Phone }
  | { type: 'pairing.failed'; reason: PairingFailure };

export type PhonePairingFact =
  | { type: 'pairing.digitsReady'; peerName: string; pin: string }
  /** The person typed digits and they are the same as / other than this exchange's. */
  | { type: 'pairing.digitsMatched' }
  | { type: 'pairing.digitsDiffered' }
  | { type: 'pairing.completed'; deviceId: string }
  | { type: 'pairing.peerLeft' }
  | { type: 'pairing.failed'; reason: PairingFailure };

/** The phone's adapter compares digits by itself and needs no command but the next exchange. */
export type PhonePairingCommand = { type: 'pairing.again' };

export type PairingFailure = Extract<
  FailureReason,
  | 'pairingPeerNotFound'
  | 'pairingInterrupted'
  | 'pairingTampered'
  | 'pairingDeclined'
  | 'pairedWithItself'
  | 'updateVmux'
  | 'updateSigner'
>;

// ── placeholders ─────────────────────────────────────────────────────────────────────────────────

function missing(port: string): never {
  throw new Error(`port "${port}" was not provided`);
}

type CallbackPort<
  Command extends EventObject,
  Input extends NonReducibleUnknown,
> = CallbackActorLogic<Command, Input>;

export const sshPort: CallbackPort<SshCommand, SshInput> = fromCallback(() => missing('ssh'));

export const signerLinkPort: CallbackPort<SignerLinkCommand, SignerLinkInput> = fromCallback(() =>
  missing('link'),
);

export const browsePort: ObservableActorLogic<PeerFact, BrowseInput> = fromEventObservable(() =>
  missing('browse'),
);

export const connectorPort: CallbackPort<ConnectorCommand, undefined> = fromCallback(() =>
  missing('connector'),
);

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

export const headsetPairingPort: CallbackPort<HeadsetPairingCommand, PairingInput> = fromCallback(
  () => missing('pairing'),
);

export const phonePairingPort: CallbackPort<PhonePairingCommand, PairingInput> = fromCallback(() =>
  missing('pairing'),
);
