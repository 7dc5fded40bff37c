import { Buffer } from 'node:buffer';
import { encodeString } from '../wire/ssh-wire.ts';
import { AGENT_MAX_LEN } from './protocol.ts';

const HEADER = 4;
const empty = Buffer.alloc(0);

/** A whole frame of the largest size: whoever holds more than this can always take one out. */
export const LARGEST_FRAME = HEADER + AGENT_MAX_LEN;

/** One message as a frame (RFC 9987 §5): u32 length, big-endian, then the message. */
export function encodeFrame(message: Uint8Array): Buffer {
  return encodeString(message);
}

/** Takes a stream apart into messages; how it is cut into chunks makes no difference. */
export interface FrameInbox {
  /** Copies `chunk`. Nothing is ever allocated on the word of a length. */
  push(chunk: Uint8Array): void;
  /** The next whole message, owned by the caller; `null` while there is none, or for good. */
  next(): Buffer | null;
  /** Bytes that came and were not taken. Bounding them is the caller's work. */
  held(): number;
  /** A length of 0 or above `AGENT_MAX_LEN` has come up: no later byte has a meaning. */
  isBroken(): boolean;
}

export function createFrameInbox(): FrameInbox {
  let store = empty;
  let start = 0;
  let end = 0;
  let broken = false;

  function makeRoom(count: number): void {
    if (store.length - end >= count) return;
    const needed = end - start + count;
    const roomier =
      needed > store.length ? Buffer.alloc(Math.max(needed, 2 * store.length)) : store;
    store.copy(roomier, 0, start, end);
    store = roomier;
    end -= start;
    start = 0;
  }

  return {
    push(chunk) {
      if (broken) return;
      makeRoom(chunk.length);
      store.set(chunk, end);
      end += chunk.length;
    },
    next() {
      if (broken || end - start < HEADER) return null;
      const length = store.readUInt32BE(start);
      if (length === 0 || length > AGENT_MAX_LEN) {
        broken = true;
        store = empty;
        start = end = 0;
        return null;
      }
      if (end - start < HEADER + length) return null;
      const message = Buffer.alloc(length);
      start += HEADER;
      store.copy(message, 0, start, start + length);
      // A refused request to add a key has the private key in it.
      store.fill(0, start, start + length);
      start += length;
      if (start === end) {
        store = empty;
        start = end = 0;
      }
      return message;
    },
    held: () => end - start,
    isBroken: () => broken,
  };
}
