/**
 * Notices that this process was stopped for a while, as a phone suspends an app.
 *
 * `check` is called before anything that comes from outside counts: sockets and keys that piled up
 * meanwhile are delivered before the next timer fires.
 */
const TICK = 500;
const GAP = 2_000;

export interface SuspensionWatch {
  /** `true` unless a gap was noticed just now. */
  check(): boolean;
  stop(): void;
}

/** `onSuspended` gets the length of the gap in milliseconds, once a gap. */
export function watchSuspension(onSuspended: (gap: number) => void): SuspensionWatch {
  // The monotonic clock stands still while a machine sleeps; the wall clock may be set. The larger
  // of the two gaps fails closed.
  let seen = { monotonic: performance.now(), wall: Date.now() };
  function check(): boolean {
    const now = { monotonic: performance.now(), wall: Date.now() };
    const gap = Math.max(now.monotonic - seen.monotonic, now.wall - seen.wall);
    seen = now;
    if (gap <= GAP) return true;
    onSuspended(gap);
    return false;
  }
  const timer = setInterval(check, TICK).unref();
  return { check, stop: () => clearInterval(timer) };
}
