/** What a phone holds of the requests on its links: challenges, signatures and recent answers. */
import { createHash } from 'node:crypto';
import type { Answer, ListenerFact } from '../../machines/phone/ports.ts';
import type { ResultMessage, SignMessage } from './messages.ts';

/** Milliseconds: no headset can make a request, or its answer, live longer. */
export const MAX_TTL = 120_000;
/** A device with more requests than this, answered ones included, is told that the phone is busy. */
export const MAX_REQUESTS = 64;

/** The part that the keys adapter and the composition see. */
export interface Requests {
  /**
   * The exact bytes to sign, hashed anew: null when they are gone, when their time is over (a phone
   * that was stopped may learn of that last), or when they are no longer what arrived.
   * They are the store's own, wiped when the request ends: not to be written to, and not to be kept
   * past an `await`.
   */
  challengeFor(ref: string): Buffer | null;
  /** Keeps a copy until the answer is sent. False when the request is gone. */
  putSignature(ref: string, signature: Uint8Array): boolean;
  /** Wipes and forgets all of the request: neither it nor a signature for it can be answered. */
  erase(ref: string): void;
}

/** A request as it is held. Fields that name times are milliseconds of the store's clock. */
export interface HeldRequest {
  ref: string;
  requestId: string;
  linkId: string;
  readonly deviceId: string;
  readonly pin: string;
  /** What the headset says of the bytes. */
  readonly claim: string;
  /** The challenge's SHA-256, hex, taken on arrival. */
  readonly challengeHash: string;
  challenge: Buffer;
  signature: Buffer | null;
  readonly ttl: number;
  readonly queueTtl: number;
  readonly sheetTtl: number;
  readonly arrivedAt: number;
  deadline: number;
  phase: 'new' | 'queued' | 'shown';
  /** What the chart was told of it; told again, with another link, when the request comes again. */
  fact: RequestArrived | null;
  answer: Answer | null;
}

export type RequestArrived = Extract<
  ListenerFact,
  { type: 'request.received' | 'request.unreadable' }
>;

export type Arrival =
  | { is: 'new'; held: HeldRequest }
  /** The same request again, not yet answered. */
  | { is: 'pending'; held: HeldRequest }
  /** The same request again, answered within its time to live. */
  | { is: 'answered'; result: ResultMessage }
  /** The same id with other bytes or another claim. What was there before is untouched. */
  | { is: 'reused' }
  | { is: 'tooMany' };

export interface RequestStore extends Requests {
  arrive(sender: { deviceId: string; pin: string; linkId: string }, message: SignMessage): Arrival;
  get(ref: string): HeldRequest | null;
  /** Starts the clock of the queue, or of the sheet, once each. */
  noteQueued(ref: string): void;
  noteShown(ref: string): void;
  /** Ends a request; null when there is nothing to send. */
  settle(ref: string, answer: Answer): ResultMessage | null;
  /** Wipes what was never answered on a link that is gone. */
  eraseUnanswered(linkId: string): void;
  /** Wipes all that came from this pin. */
  eraseAllOf(pin: string): void;
  /** Forgets answers whose time is over. */
  sweep(): void;
  eraseAll(): void;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const refOf = (deviceId: string, requestId: string) => `${deviceId}/${requestId}`;

/** `now`: a clock that never goes back, milliseconds. */
export function createRequestStore(now: () => number): RequestStore {
  const held = new Map<string, HeldRequest>();

  function erase(ref: string): void {
    const request = held.get(ref);
    if (request === undefined) return;
    request.challenge.fill(0);
    request.signature?.fill(0);
    held.delete(ref);
  }

  function eraseWhere(over: (request: HeldRequest) => boolean): void {
    for (const request of held.values()) if (over(request)) erase(request.ref);
  }

  const isOver = (request: HeldRequest) => request.answer !== null && now() >= request.deadline;

  function arrive(
    { deviceId, pin, linkId }: { deviceId: string; pin: string; linkId: string },
    message: SignMessage,
  ): Arrival {
    sweep();
    const ref = refOf(deviceId, message.id);
    const challenge = Buffer.from(Buffer.from(message.data, 'base64'));
    const challengeHash = sha256(challenge);
    const { fingerprint, user, host, port, code, binds } = message;
    const claim = JSON.stringify([fingerprint, user, host, port, code, binds]);
    const before = held.get(ref);
    if (before !== undefined) {
      challenge.fill(0);
      const same = before.challengeHash === challengeHash && before.claim === claim;
      if (before.pin !== pin || !same) return { is: 'reused' };
      const result = resultOf(before);
      if (result !== null) return { is: 'answered', result };
      before.linkId = linkId;
      return { is: 'pending', held: before };
    }
    if (!makeRoom(pin)) {
      challenge.fill(0);
      return { is: 'tooMany' };
    }
    const ttl = Math.min(message.ttl, MAX_TTL);
    const request: HeldRequest = {
      ref,
      requestId: message.id,
      linkId,
      deviceId,
      pin,
      claim,
      challenge,
      challengeHash,
      signature: null,
      ttl,
      queueTtl: Math.min(message.queueTtl, MAX_TTL),
      sheetTtl: Math.min(message.sheetTtl, MAX_TTL),
      arrivedAt: now(),
      deadline: now() + ttl,
      phase: 'new',
      fact: null,
      answer: null,
    };
    held.set(ref, request);
    return { is: 'new', held: request };
  }

  /** Oldest answers make way; requests without an answer do not. */
  function makeRoom(pin: string): boolean {
    const own = [...held.values()].filter((request) => request.pin === pin);
    if (own.length < MAX_REQUESTS) return true;
    const oldest = own.find((request) => request.answer !== null);
    if (oldest === undefined) return false;
    erase(oldest.ref);
    return true;
  }

  function noteQueued(ref: string): void {
    const request = held.get(ref);
    if (request?.phase !== 'new') return;
    request.phase = 'queued';
    request.deadline = request.arrivedAt + request.queueTtl;
  }

  function noteShown(ref: string): void {
    const request = held.get(ref);
    if (request === undefined || request.phase === 'shown') return;
    if (request.phase === 'queued') request.deadline = now() + request.sheetTtl;
    request.phase = 'shown';
  }

  function settle(ref: string, answer: Answer): ResultMessage | null {
    const request = held.get(ref);
    if (request === undefined || request.answer !== null) return null;
    // An approval without a signature is no signature.
    const unsigned = answer.outcome === 'signed' && request.signature === null;
    request.answer = unsigned ? { outcome: 'failed', reason: 'signingFailed' } : answer;
    request.challenge.fill(0);
    const result = resultOf(request);
    const forgotten = answer.outcome === 'withdrawn' || answer.outcome === 'expired';
    if (forgotten || isOver(request)) erase(ref);
    return result;
  }

  function sweep(): void {
    eraseWhere(isOver);
  }

  return {
    arrive,
    get: (ref) => held.get(ref) ?? null,
    noteQueued,
    noteShown,
    settle,
    eraseUnanswered: (linkId) =>
      eraseWhere((request) => request.linkId === linkId && request.answer === null),
    eraseAllOf: (pin) => eraseWhere((request) => request.pin === pin),
    sweep,
    eraseAll: () => eraseWhere(() => true),
    erase,
    challengeFor: (ref) => {
      const request = held.get(ref);
      if (request === undefined || request.answer !== null || now() >= request.deadline)
        return null;
      return sha256(request.challenge) === request.challengeHash ? request.challenge : null;
    },
    putSignature: (ref, signature) => {
      const request = held.get(ref);
      if (request === undefined || request.answer !== null) return false;
      request.signature?.fill(0);
      request.signature = Buffer.from(signature);
      return true;
    },
  };
}

function resultOf({ requestId: id, answer, signature }: HeldRequest): ResultMessage | null {
  const head = { t: 'result', id } as const;
  switch (answer?.outcome) {
    case 'signed':
      if (signature === null) return null;
      return { ...head, outcome: 'signed', signature: signature.toString('base64') };
    case 'denied':
      return { ...head, outcome: 'denied', why: answer.why };
    case 'expired':
      return { ...head, outcome: 'expired' };
    case 'failed':
      return { ...head, outcome: 'failed', reason: answer.reason };
    case 'withdrawn':
    case undefined:
      return null;
  }
}
