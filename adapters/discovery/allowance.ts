/** How much may be done, with a rest that grows back. Times in milliseconds. */
export interface Allowance {
  /** Uses up one, if there is one. */
  take(now: number): boolean;
  /** When there is one again. */
  nextAt(now: number): number;
}

/** At most `burst` at once, and `perSecond` in the long run. */
export function createAllowance(burst: number, perSecond: number): Allowance {
  let left = burst;
  let countedAt = -Infinity;

  function count(now: number): void {
    left = Math.min(burst, left + (Math.max(now - countedAt, 0) * perSecond) / 1000);
    countedAt = now;
  }

  return {
    take(now) {
      count(now);
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    nextAt(now) {
      count(now);
      return left >= 1 ? now : now + Math.ceil(((1 - left) * 1000) / perSecond);
    },
  };
}
