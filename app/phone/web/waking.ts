/** When the phone's page is woken for a request: at once where nobody has it before them, or soon. */

export interface WakingParts {
  /** Whether some page says that its person can see it. */
  isAnyVisible(): boolean;
  /** Whether the sheet of this request is up, and no page has painted it. */
  isUnseen(ref: string): boolean;
  wake(ref: string): void;
}

/** A page that was put to sleep a moment ago still counts as visible: it paints nothing. Milliseconds. */
const UNSEEN = 2_000;

/** Gives what is to be called when a sheet came. */
export function createWaking({ isAnyVisible, isUnseen, wake }: WakingParts) {
  return (ref: string): void => {
    if (!isAnyVisible()) return wake(ref);
    setTimeout(() => {
      if (isUnseen(ref)) wake(ref);
    }, UNSEEN).unref();
  };
}
