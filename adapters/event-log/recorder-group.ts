/**
 * The recorded machines of one program. When one of them cannot record, all of them stop.
 */
export interface RecorderGroup {
  /** Why everything stopped; `null` while all is well. */
  readonly halted: Error | null;
  /** Stops every member, synchronously. Only the first call counts. */
  halt(error: Error): void;
  /** Adds a member by what stops it; returns what removes it. */
  join(stop: () => void): () => void;
}

/**
 * `onHalt` is called at once, before the machines stop: close links and sockets there, and end the
 * program. Its error is `LogUnavailable`, another error of the
 * log, or a bug: `UnrecordableEvent`, or what a chart threw. What it throws
 * itself is an uncaught exception, after everything has stopped.
 */
export function createRecorderGroup(onHalt: (error: Error) => void): RecorderGroup {
  const members = new Set<() => void>();
  let halted: Error | null = null;
  return {
    get halted() {
      return halted;
    },
    halt(error) {
      if (halted) return;
      halted = error;
      try {
        onHalt(error);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
      for (const stop of members) stop();
      members.clear();
    },
    join(stop) {
      members.add(stop);
      return () => members.delete(stop);
    },
  };
}
