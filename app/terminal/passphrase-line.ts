/**
 * A line editor for a passphrase, without a terminal: raw-mode bytes in, what became of the line
 * out. It echoes nothing. The secret is in one buffer that never grows, so no copy is left behind.
 */
import { Buffer } from 'node:buffer';

/**
 * `typing`: not finished. `entered`: Enter; the secret waits for `take`. `cancelled`: Esc.
 * `interrupted`: Ctrl-C. `ended`: Ctrl-D on an empty line. `tooLong`: Enter, after more than fits.
 * In the last four nothing is kept.
 */
export type LineOutcome = 'typing' | 'entered' | 'cancelled' | 'interrupted' | 'ended' | 'tooLong';

export interface LineState {
  outcome: LineOutcome;
  /** Characters (code points) on the line. */
  characters: number;
  /**
   * Bytes of the chunk that belong to this line; they have been zeroed in the chunk. What follows
   * was typed after the line ended: give it to the next line, or zero it.
   */
  used: number;
}

export interface PassphraseLine {
  /**
   * Takes what the terminal sent and zeroes it. A chunk that ends in a lone ESC is the Esc key, so
   * a key's sequence that is torn right after its ESC cancels. Once ended, takes nothing.
   */
  feed(chunk: Uint8Array): LineState;
  readonly characters: number;
  /** The UTF-8 bytes of an entered line, once; the caller zeroes them. `null` in other states. */
  take(): Buffer | null;
  /** Zeroes the line and starts anew. */
  clear(): void;
}

const esc = 0x1b;
const pasteStart = '200~';
const pasteEnd = Buffer.from('\x1b[201~');

/** `capacity` in bytes. */
export function createPassphraseLine(capacity = 1024): PassphraseLine {
  const secret = Buffer.alloc(capacity);
  let length = 0;
  let overflowed = false;
  let outcome: LineOutcome = 'typing';
  /** Parameters of a control sequence under way (ECMA-48 §5.4); `null` outside one. */
  let sequence: string | null = null;
  let pasting = false;
  /** How much of `pasteEnd` was just seen. */
  let pasteEndSeen = 0;

  function erase(): void {
    secret.fill(0);
    length = 0;
    overflowed = false;
  }
  function end(as: LineOutcome): void {
    outcome = as;
    sequence = null;
    pasting = false;
    pasteEndSeen = 0;
    if (as !== 'entered') erase();
  }
  function append(byte: number): void {
    if (length === capacity) overflowed = true;
    else secret[length++] = byte;
  }
  function backspace(): void {
    while (length > 0) {
      const last = secret[--length] ?? 0;
      secret[length] = 0;
      if (!isContinuation(last)) return;
    }
  }
  function paste(byte: number): void {
    if (byte === pasteEnd[pasteEndSeen]) {
      pasteEndSeen += 1;
      if (pasteEndSeen < pasteEnd.length) return;
      pasting = false;
      pasteEndSeen = 0;
      return;
    }
    for (const seen of pasteEnd.subarray(0, pasteEndSeen)) if (seen >= 0x20) append(seen);
    pasteEndSeen = byte === esc ? 1 : 0;
    if (byte >= 0x20 && byte !== 0x7f) append(byte);
  }
  function control(byte: number): void {
    if (byte === 0x0d || byte === 0x0a) end(overflowed ? 'tooLong' : 'entered');
    else if (byte === 0x04 && length === 0) end('ended');
    else if (byte === 0x15) erase();
    else if (byte === 0x7f || byte === 0x08) backspace();
  }

  /** Takes a byte of a control sequence; `false` when it is none and has to be taken afresh. */
  function sequenceByte(byte: number, before: string): boolean {
    sequence = null;
    if (byte < 0x20 || byte > 0x7e) return false;
    const seen = before + String.fromCharCode(byte);
    if (byte >= 0x40) pasting = seen === pasteStart;
    else sequence = seen.slice(0, 16);
    return true;
  }
  /** Takes ESC and what it introduces; returns how many bytes that was. */
  function escape(next: number | undefined, left: number): number {
    if (next === undefined || next < 0x20 || next === 0x7f) {
      end('cancelled');
      return 1;
    }
    if (next === 0x5b) sequence = '';
    // SS3 has one more byte (function and keypad keys); Alt and a key are two.
    return next === 0x4f ? Math.min(3, left) : 2;
  }
  /** Takes one key, or one byte of a sequence or a paste; returns how many bytes that was. */
  function step(chunk: Uint8Array, at: number): number {
    const byte = chunk[at] ?? 0;
    const next = chunk[at + 1];
    if (byte === 0x03) end('interrupted');
    else if (pasting) paste(byte);
    else if (sequence !== null && sequenceByte(byte, sequence)) return 1;
    else if (byte === esc) return escape(next, chunk.length - at);
    else if (byte < 0x20 || byte === 0x7f) {
      control(byte);
      if (byte === 0x0d && next === 0x0a) return 2;
    } else append(byte);
    return 1;
  }

  return {
    feed(chunk) {
      let used = 0;
      while (used < chunk.length) {
        if (outcome !== 'typing') break;
        used += step(chunk, used);
      }
      chunk.fill(0, 0, used);
      return { outcome, characters: count(secret, length), used };
    },
    get characters() {
      return count(secret, length);
    },
    take() {
      if (outcome !== 'entered') return null;
      const taken = Buffer.alloc(length);
      secret.copy(taken, 0, 0, length);
      erase();
      outcome = 'typing';
      return taken;
    },
    clear() {
      end('typing');
    },
  };
}

/** One `•` a character, at most `max`: beyond that the length is nobody's business. */
export function passphraseDots(characters: number, max = 32): string {
  return '•'.repeat(Math.min(characters, max));
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}

function count(bytes: Uint8Array, length: number): number {
  let characters = 0;
  for (const byte of bytes.subarray(0, length)) if (!isContinuation(byte)) characters += 1;
  return characters;
}
