const TICK = 500;
/** A tick that comes this late means that the process, or the device, was stopped. */
const GAP = 2_000;

const read = () => ({ monotonic: performance.now(), wall: Date.now() });

export interface SuspensionWatch {
  /**
   * Looks at once. What happens first after a wake-up may not be the tick, so everything that acts
   * on the outside's behalf calls this before. `true` unless a suspension was noticed just now.
   */
  check: () => boolean;
  start(): void;
  stop(): void;
}

/**
 * Notices that the process was suspended, and calls `suspended`; `ticked` is called twice a second.
 * Both clocks are watched: the monotonic one stands still while a Linux machine sleeps.
 */
export function createSuspensionWatch(suspended: () => void, ticked = () => {}): SuspensionWatch {
  let timer: NodeJS.Timeout | null = null;
  let last = { monotonic: 0, wall: 0 };

  function check(): boolean {
    if (timer === null) return true;
    const now = read();
    const gap = Math.max(now.monotonic - last.monotonic, now.wall - last.wall);
    last = now;
    if (gap <= GAP) return true;
    suspended();
    return false;
  }

  return {
    check,
    start: () => {
      last = read();
      timer ??= setInterval(() => {
        check();
        ticked();
      }, TICK).unref();
    },
    stop: () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
  };
}
