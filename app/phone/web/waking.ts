/** When the phone's page counts as asleep: soon where nobody has it before them, else later. */

export interface WakingParts {
  /** Whether some page says that its person can see it. */
  isAnyVisible(): boolean;
  /** Whether the sheet of this request is up, and no page has painted it. */
  isUnseen(ref: string): boolean;
  asleep(ref: string): void;
}

/** A page that was put to sleep a moment ago still counts as visible: it paints nothing. Milliseconds. */
const UNSEEN = 2_000;
/** A page before its person may have lost its socket, and be coming back. Milliseconds. */
const COMING_BACK = 500;

/** Gives what is to be called when a sheet came. */
export function createWaking({ isAnyVisible, isUnseen, asleep }: WakingParts) {
  return (ref: string): void => {
    const wait = isAnyVisible() ? UNSEEN : COMING_BACK;
    setTimeout(() => {
      if (isUnseen(ref)) asleep(ref);
    }, wait).unref();
  };
}
