/** A question takes no yes for this long: what is typed was meant for the shell. Milliseconds. */
const SETTLE = 700;

export interface Question {
  /** Told at every change whether it is on the screen; true when it has just come there. */
  begins(isAsked: boolean): boolean;
  /** A yes counts now. */
  takesYes(): boolean;
}

/** `now`: milliseconds of a clock that never goes back. */
export function createQuestion(now: () => number): Question {
  let askedAt: number | null = null;
  return {
    begins(isAsked) {
      const isNew = isAsked && askedAt === null;
      if (isNew) askedAt = now();
      if (!isAsked) askedAt = null;
      return isNew;
    },
    takesYes: () => askedAt !== null && now() - askedAt >= SETTLE,
  };
}
