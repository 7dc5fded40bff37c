/** What the page's screens are given: all that it knows, and all that a person can do with it. */
import type { PageAction } from '../../../adapters/phone-page/actions.ts';
import type { HttpProblem, PageSheet } from '../../../adapters/phone-page/protocol.ts';
import type { PhoneState } from '../../../adapters/phone-page/state.ts';
import type { Answer } from '../../../machines/phone/ports.ts';

export interface Phone {
  snapshot(): PageSnapshot;
  /** Calls after every change of the snapshot, which is a new object then. Returns what ends it. */
  subscribe(changed: () => void): () => void;

  /** `code` as typed. */
  pair(code: string, name: string): Promise<PairOutcome>;
  /** Forgets the device key of this browser; the signer's own list is for `browser.remove`. */
  forget(): Promise<void>;

  /** The sheet of this request is painted: only now does the headset hear that it is shown. */
  sheetShown(ref: string): void;
  enterCode(ref: string, code: string): void;
  setPinning(ref: string, pin: boolean): void;
  deny(ref: string): void;
  /**
   * Has to be called in the handler of a tap: the authenticator is asked before it returns. What
   * comes of it is in the snapshot.
   */
  approve(ref: string): void;

  /** Likewise in the handler of a tap. */
  createPasskey(label: string): Promise<CreateOutcome>;
  /** The passkey of a sealed key; the key itself is made and sealed by a second tap. */
  beginSealedKey(label: string): Promise<CreateOutcome | { ok: 'continue'; sealing: Sealing }>;

  /** Rejects with an `Error` whose message is a sentence for the person. */
  ask(action: PageAction): Promise<unknown>;
  /** Deletes at the signer, and asks the browser to forget the passkey where it can. */
  removeIdentity(fingerprint: string): Promise<void>;
  /** Asks the browser for its permission: in the handler of a tap. `denied`: by the person or their settings. */
  turnPushOn(): Promise<'on' | 'denied' | 'unavailable'>;
  turnPushOff(): Promise<void>;
}

/** The second step of a sealed key: its passkey is made, and seals nothing yet. */
export interface Sealing {
  /** In the handler of a tap. Again after it was cancelled; over after anything else. */
  seal(): Promise<CreateOutcome>;
  /** Asks the browser to forget the passkey. `false`: it cannot. Does nothing once it is over. */
  giveUp(): Promise<boolean>;
}

export type CreateOutcome =
  | { ok: true; fingerprint: string }
  /** `cancelled`: the browser says no more than that; `noPrf`: made, but useless, so it was dropped. */
  | { ok: false; why: 'cancelled' | 'noPrf' | 'refused'; sentence: string | null };

export type PairOutcome = 'paired' | HttpProblem | 'unreachable';

export interface PageSnapshot {
  link:
    /** Not known yet. */
    | 'starting'
    /** This browser holds no device key, or the signer no longer knows it. */
    | 'unpaired'
    | 'connecting'
    | 'up'
    /** It was up or tried to be: the next try comes by itself. */
    | 'lost'
    /** The signer is of another release than this page, which was loaded anew already. */
    | 'outdated';
  /** It was paired until somebody ended that. */
  wasUnpaired: boolean;
  /** The last that the signer told. */
  state: PhoneState | null;
  sheet: ShownSheet | null;
  /** What became of the last sheet, until the next one or `performance.now()` is past `until`. */
  ended: EndedSheet | null;
  abilities: Abilities;
}

export interface Abilities {
  webAuthn: boolean;
  /** `null`: the browser does not say before it is tried. */
  prf: boolean | null;
  push: boolean;
  /** Runs from the Home Screen. */
  isStandalone: boolean;
  /** An iPhone or iPad: there, only a page on the Home Screen keeps what it stores. */
  isAppleTouch: boolean;
  /** The browser promised to keep what the page stores. */
  isPersistent: boolean | null;
}

export interface ShownSheet {
  sheet: PageSheet;
  /** Parsed from the bytes to be signed; `null`: they are nothing that this page signs. */
  read: ReadBytes | null;
  /** The bytes say something else than the signer: nothing can be approved. */
  isMismatch: boolean;
  /** `performance.now()` when its request first came, and when it expires. */
  since: number;
  until: number;
  /** Why the last try did not approve. */
  problem: 'notVerified' | 'sealedKeyDamaged' | 'prfUnavailable' | null;
}

/** What the bytes themselves say. */
export type ReadBytes =
  | {
      kind: 'publickey' | 'hostbound' | 'certificate';
      user: string;
      /** `SHA256:…` of the key that is asked to sign. */
      fingerprint: string;
      /** Of the server's host key; `null`: the bytes name none. */
      hostKey: string | null;
      /** Of a user certificate. */
      certificate: { ca: string; principals: string[] } | null;
    }
  | { kind: 'sshsig'; namespace: string };

export interface EndedSheet {
  ref: string;
  outcome: Answer['outcome'];
  host: string;
  user: string;
  /** The person had approved, and it was over: nothing was signed. */
  isTooLate: boolean;
  until: number;
}
