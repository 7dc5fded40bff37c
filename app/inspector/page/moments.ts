/** Where each machine of a flow is at each event. */
import type { EventRow, Flow, Place } from '../protocol.ts';

export const keyOf = ({ device, stream, version }: Place) => `${device}:${stream}@${version}`;

export interface Moments {
  /** The place of every stream after the row of that index; -1: before the first one. */
  at(index: number): Place[];
  /** Counts rows in that were added to the flow. */
  grow(): void;
}

interface Track {
  before: Place;
  /** Indexes of its rows, and the version after each. */
  indexes: number[];
  versions: number[];
}

export function createMoments({ rows, before }: Flow): Moments {
  const tracks = new Map<string, Track>();
  let counted = 0;

  const trackOf = ({ device, stream }: Place, version: number): Track => {
    const key = `${device}:${stream}`;
    const known = tracks.get(key);
    if (known) return known;
    const made = { before: { device, stream, version }, indexes: [], versions: [] };
    tracks.set(key, made);
    return made;
  };

  function grow(): void {
    for (; counted < rows.length; counted += 1) {
      const row = rows[counted] as EventRow;
      const track = trackOf(row, row.version - 1);
      track.indexes.push(counted);
      track.versions.push(row.version);
    }
  }

  for (const place of before) trackOf(place, place.version);
  grow();
  return {
    at: (index) =>
      [...tracks.values()].map(({ before: start, indexes, versions }) => {
        const version = versions[countUpTo(indexes, index) - 1];
        return version === undefined ? start : { ...start, version };
      }),
    grow,
  };
}

/** How many of the rising numbers are at most `limit`. */
function countUpTo(numbers: number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
