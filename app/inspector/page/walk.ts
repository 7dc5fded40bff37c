/** Through what has just happened, event by event, fast enough to keep up. */

/** How long each event is shown, and all of them at most. Milliseconds. */
const PACE = 80;
const CATCH_UP = 900;

export interface Walk {
  readonly isOn: boolean;
  /** Goes on to the last event, and to those that come meanwhile. */
  start(): void;
  stop(): void;
}

/** `left`: how many events are ahead. `step` shows the next one. */
export function createWalk(left: () => number, step: () => Promise<void>): Walk {
  /** The walk that goes on: one that was stopped does not go on as the next one. */
  let current: symbol | null = null;

  async function next(own: symbol): Promise<void> {
    if (current !== own) return;
    if (left() <= 0) {
      current = null;
      return;
    }
    const pause = Math.min(PACE, CATCH_UP / left());
    await step();
    await new Promise((resolve) => setTimeout(resolve, pause));
    return next(own);
  }

  return {
    get isOn() {
      return current !== null;
    },
    start() {
      if (current !== null) return;
      current = Symbol('walk');
      void next(current);
    },
    stop() {
      current = null;
    },
  };
}
