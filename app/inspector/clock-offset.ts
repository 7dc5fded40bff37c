/** How far another clock is from this one, as NTP (RFC 5905 §8) finds it. */

/** Round trips that are made; the quickest one says most. */
const trips = 8;

/**
 * Milliseconds to be added to the other clock's time to get this one's, a whole number. `ask`
 * resolves with the other clock's time, `now` is this one.
 */
export async function clockOffset(
  ask: () => Promise<number>,
  now: () => number = Date.now,
): Promise<number> {
  let best = { took: Infinity, offset: 0 };
  for (let trip = 0; trip < trips; trip += 1) {
    const sent = now();
    const there = await ask();
    const took = now() - sent;
    if (took < best.took) best = { took, offset: sent + took / 2 - there };
  }
  return Math.round(best.offset);
}
