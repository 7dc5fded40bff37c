import { randomBytes, timingSafeEqual, hash } from 'node:crypto';

export interface SingleUseToken {
  readonly text: string;
  /** True once, for the right text, while it is fresh. A wrong text uses nothing up. */
  redeem(given: string): boolean;
}

/** `lifetime`: milliseconds. `now`: the same unit, of a clock that only goes forward. */
export function createSingleUseToken(
  lifetime: number,
  now: () => number = () => performance.now(),
): SingleUseToken {
  const text = newSecret();
  const expires = now() + lifetime;
  let isUsed = false;
  return {
    text,
    redeem(given) {
      const isIt = isSameSecret(given, text);
      if (!isIt || isUsed || now() >= expires) return false;
      isUsed = true;
      return true;
    },
  };
}

/** 32 random bytes as base64url. */
export const newSecret = () => randomBytes(32).toString('base64url');

/** Takes as long for a near miss as for any other text. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

const digest = (text: string) => hash('sha256', text, 'buffer');
