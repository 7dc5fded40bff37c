/** What the phone's page shows beside the sheet. Like the protocol, in both: types and nothing else. */
import type { Policy } from '../../machines/phone/policy.ts';
import type { Answer, Sheet } from '../../machines/phone/ports.ts';
import type { Credential } from './protocol.ts';

export interface PhoneState {
  /** What this signer calls itself on the network. */
  name: string;
  origin: string;
  rpId: string;
  release: string;
  /** Milliseconds since 1970, there. */
  now: number;
  /** Identities made here work nowhere else: a page on localhost. */
  isLocal: boolean;
  isPublished: boolean;
  identities: PageIdentity[];
  devices: PageDevice[];
  browsers: PageBrowser[];
  policy: Policy;
  hosts: PageHost[];
  /** Latest first, at most 200. */
  activity: ActivityRow[];
  push: { publicKey: string | null; isOn: boolean };
}

/** Where the private key is, as far as that is known. */
export type KeyPlace =
  /** A passkey that the phone's maker copies to the owner's other devices. */
  | 'syncedPasskey'
  /** A passkey that cannot leave the device it was made on. */
  | 'boundPasskey'
  /** A passkey on a security key of its own. */
  | 'securityKey'
  /** Sealed under a passkey, in this browser and, still sealed, at the signer. */
  | 'sealedInBrowser'
  /** Sealed under a passphrase where `signer` runs. */
  | 'sealedAtSigner';

export interface PageIdentity {
  fingerprint: string;
  label: string;
  algorithm: string;
  /** For authorized_keys, options and all. */
  line: string;
  enabled: boolean;
  createdAt: number;
  place: KeyPlace;
  /** Whether the passkey under a sealed key is itself a synced one. */
  isPasskeySynced: boolean;
  credential: Credential | null;
  /** Which destinations it is locked to, as the person wrote them; none: anywhere. */
  allowed: string[];
}

export interface PageDevice {
  id: string;
  /** Foreign text. */
  name: string;
  pairedAt: number;
  isLinked: boolean;
  /** Milliseconds since 1970. */
  mutedUntil: number | null;
}

export interface PageBrowser {
  id: string;
  name: string;
  pairedAt: number;
  isThis: boolean;
}

export interface PageHost {
  name: string;
  port: number;
  keyType: string;
  fingerprint: string;
  since: number;
}

export interface ActivityRow {
  /** Of the request. */
  ref: string;
  at: number;
  outcome: Answer['outcome'];
  /** A sentence about why, when it was neither signed nor simply denied. */
  why: string | null;
  kind: Sheet['kind'] | null;
  /** Foreign text, all three. */
  host: string;
  user: string;
  deviceName: string;
  label: string;
  fingerprint: string;
  /** A receipt is kept: anybody can check that the owner was verified for it. */
  hasReceipt: boolean;
}
