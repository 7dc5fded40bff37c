/**
 * What `signer` and the phone's page say to each other. This file is in both, so it imports types
 * and nothing else. Byte fields are base64url without padding.
 *
 * A browser is paired once (`POST /api/pair`) and known by its device key from then on: a P-256 key
 * that WebCrypto does not let out. To come in it signs a nonce (`/api/nonce`, `/api/session`), which
 * gets it a cookie; with that it opens the socket, where every message of its own is signed as well.
 */
import type { Answer, Sheet } from '../../machines/phone/ports.ts';
import type { PageAction } from './actions.ts';
import type { PhoneState } from './state.ts';

/** Both have to have the same: a page that is older than its signer loads itself anew. */
export const PAGE_PROTOCOL = 2;

export const paths = {
  pair: '/api/pair',
  nonce: '/api/nonce',
  session: '/api/session',
  socket: '/api/socket',
} as const;

/** UTF-8 of this is what a browser signs to pair: only who has the code can write it. */
export const pairingText = (origin: string, code: string, publicKey: string) =>
  `vmux-signer pairing\n${origin}\n${code}\n${publicKey}`;

/** UTF-8 of this is what a browser signs to come in. */
export const sessionText = (origin: string, nonce: string) =>
  `vmux-signer session\n${origin}\n${nonce}`;

/** UTF-8 of this is what a browser signs of every message on the socket. */
export const frameText = (origin: string, nonce: string, { seq, body }: Omit<Frame, 'signature'>) =>
  `vmux-signer message\n${origin}\n${nonce}\n${seq}\n${body}`;

/** All signatures of a device key: ECDSA, P-256, SHA-256, r and s of 32 bytes each. */
type Signature = string;

// ── HTTP, JSON both ways ──

export interface PairRequest {
  /** As `signer` shows it, without the hyphen, in capitals: 8 of `PAIRING_ALPHABET`. */
  code: string;
  /** What the person will know the browser by, e.g. "iPhone (Safari)". */
  name: string;
  /** Raw point of the device key, 65 bytes. */
  publicKey: string;
  /** Over `pairingText`. */
  signature: Signature;
}
export interface PairReply {
  browserId: string;
}

/** Crockford's base32: no I, L, O, U. */
export const PAIRING_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const PAIRING_LENGTH = 8;

export interface NonceReply {
  nonce: string;
}
export interface SessionRequest {
  browserId: string;
  nonce: string;
  /** Over `sessionText`. */
  signature: Signature;
}

/** Why an HTTP request was turned down: `{ error: HttpProblem }`. */
export type HttpProblem =
  /** No invitation is open, or it was used, or it is older than two minutes. */
  | 'noInvitation'
  | 'wrongCode'
  /** Five wrong codes ended the invitation. */
  | 'tooManyTries'
  /** This browser is not, or no longer, paired. */
  | 'unpaired'
  | 'staleNonce'
  | 'malformed'
  | 'tooLarge'
  /** Origin, Host or cookie. */
  | 'forbidden'
  | 'notFound';

// ── the socket ──

/** From the page. The first has `seq` 1, each other one more. */
export interface Frame {
  seq: number;
  /** JSON of a `PageMessage`, as a text, so that there is one form of it to sign. */
  body: string;
  /** Over `frameText` with the nonce of this socket's `hello`. */
  signature: Signature;
}

/** Bytes of one frame from the page that are read. */
export const LARGEST_FRAME = 64 * 1024;

/** Milliseconds between two beats; a page that misses two of them has lost its signer. */
export const BEAT_PERIOD = 10_000;

/** Codes with which the signer closes a socket. */
export const closeCodes = {
  /** The signer ends; come again. */
  ended: 1001,
  /** A frame that is not what this protocol has, or not signed, or not fresh. */
  breach: 1008,
  /** The browser was unpaired: there is nothing to come back to. */
  unpaired: 4001,
} as const;

export type PageMessage =
  /**
   * The first, and whenever it changes: whether the person can see the page. `document`: random, of
   * this loading of the page: when it comes again on another socket, the older one is dead.
   */
  | { type: 'page.visibility'; document: string; visible: boolean }
  | { type: 'sheet.shown'; ref: string }
  | { type: 'sheet.code'; ref: string; code: string }
  | { type: 'sheet.pin'; ref: string; pin: boolean }
  | { type: 'sheet.deny'; ref: string }
  /** The tap. The authenticator is asked in the same moment, since a browser wants that. */
  | { type: 'sheet.approve'; ref: string }
  /** What came of it. */
  | ({ type: 'sheet.verified'; ref: string } & VerifiedByPage)
  | { type: 'sheet.unverified'; ref: string; why: VerificationProblem }
  | { type: 'ask'; id: number; action: PageAction };

/** The browser has one name for being cancelled, too late and not recognised. */
export type VerificationProblem = 'notVerified' | 'sealedKeyDamaged' | 'prfUnavailable';

export interface VerifiedByPage {
  /** Its challenge is the very bytes of the request. */
  assertion: PageAssertion;
  /** By a key that was sealed: the SSH signature blob. A passkey's is made of the assertion. */
  signature: string | null;
}

export interface PageAssertion {
  credentialId: string;
  clientDataJSON: string;
  authenticatorData: string;
  /** DER. */
  signature: string;
}

export type SignerMessage =
  /** The first. */
  | { type: 'hello'; nonce: string; protocol: number; release: string }
  /** Every `BEAT_PERIOD`, since a page's script does not see the pings of its socket. */
  | { type: 'beat' }
  /** Whole, at first and after every change. */
  | { type: 'state'; state: PhoneState }
  /** Whole: a new sheet, or news of the one on screen. */
  | { type: 'sheet'; sheet: PageSheet }
  | { type: 'sheet.close'; ref: string; outcome: Answer['outcome'] }
  | { type: 'reply'; id: number; result: unknown }
  /** `sentence` is for the person. */
  | { type: 'refusal'; id: number; sentence: string };

/** What the page does of a person's taps: nothing, a code, an answer, nothing. */
export type SheetMode = 'settling' | 'matching' | 'deciding' | 'verifying';

export interface PageSheet extends Omit<Sheet, 'ttl'> {
  /** Of a request's time, milliseconds that are left at the moment of sending. */
  left: number;
  /** The whole of it, for the ring. */
  total: number;
  /** What would be signed. */
  bytes: string;
  /** The device that asks; the same as `deviceName` has a name for. */
  deviceId: string;
  mode: SheetMode;
  triesLeft: number | null;
  pin: boolean;
  /** Whether this very page is the one that is verifying. */
  here: boolean;
  approval: Approval;
}

/** Who can approve a request for its identity, and with what. */
export type Approval =
  | { by: 'passkey'; credential: Credential }
  /** `null`: the signer has lost its copy; the browser may have its own. */
  | { by: 'sealed'; credential: Credential; sealed: SealedByPasskey | null }
  /** Sealed under a passphrase, which is typed where `signer` runs. */
  | { by: 'terminal' }
  /** A passkey of another page: of another name, or made on localhost. */
  | { by: 'otherPage'; rpId: string };

export interface Credential {
  id: string;
  /** As the browser named them when it was made: `internal`, `hybrid`, `usb`… */
  transports: string[];
  rpId: string;
}

/** A P-256 key in PKCS #8, AES-256-GCM under HKDF of the passkey's PRF output. */
export interface SealedByPasskey {
  v: 1;
  /** The SSH key blob; also the additional data of the cipher. */
  publicKey: string;
  /** 32 bytes: input of PRF, and salt of HKDF. */
  salt: string;
  /** 12 bytes. */
  iv: string;
  /** Ciphertext and tag. */
  sealed: string;
}
