/** Requests that one device may make at once, and per second in the long run. */
export const REQUESTS_AT_ONCE = 256;
export const REQUESTS_PER_SECOND = 4;

/**
 * Counts the requests of each device: every one is several durable appends, and a headset gone bad
 * must not fill the phone's disk. False: this one is too many. `now`: milliseconds of a clock that
 * never goes back.
 */
export function createRequestRate(now: () => number): (deviceId: string) => boolean {
  const rests = new Map<string, { left: number; countedAt: number }>();
  return (deviceId) => {
    const at = now();
    const rest = rests.get(deviceId) ?? { left: REQUESTS_AT_ONCE, countedAt: at };
    rests.set(deviceId, rest);
    const grown = ((at - rest.countedAt) * REQUESTS_PER_SECOND) / 1000;
    rest.left = Math.min(REQUESTS_AT_ONCE, rest.left + grown);
    rest.countedAt = at;
    if (rest.left < 1) return false;
    rest.left -= 1;
    return true;
  };
}
