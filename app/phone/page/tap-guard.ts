/**
 * Which taps count as an answer: those by who had the time to read what they answer. A sheet that
 * came or changed while the finger was on its way is not what the person meant.
 */

/** Milliseconds on screen before a tap counts. */
export const READING_TIME = 700;

export interface TapGuard {
  /** The sheet is on screen: its request, and all that makes it this one. */
  painted(what: string): void;
  /** No sheet can be seen: the next one has to be read anew, also when it is the same. */
  hidden(): void;
  /** A finger or a key goes down, anywhere. `isHeld`: a key that repeats. */
  pressed(isHeld: boolean): void;
  /** Whether the tap that ends now was on `what`, and after it could be read. */
  isMeant(what: string): boolean;
}

/** `now`: milliseconds. */
export function createTapGuard(now: () => number): TapGuard {
  let shown: { what: string; at: number } | null = null;
  /** Of the press: the sheet under it. `unknown`: a tap that is all at once, by a screen reader. */
  let press: { on: string | null } | 'unknown' = 'unknown';
  return {
    painted(what) {
      if (shown?.what !== what) shown = { what, at: now() };
    },
    hidden() {
      shown = null;
    },
    pressed(isHeld) {
      press = { on: isHeld ? null : (shown?.what ?? null) };
    },
    isMeant(what) {
      const on = press === 'unknown' ? what : press.on;
      press = 'unknown';
      return shown?.what === what && on === what && now() - shown.at >= READING_TIME;
    },
  };
}
