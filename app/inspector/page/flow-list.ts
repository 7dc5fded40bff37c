/** The flows that the page knows of, newest first. */
import type { FlowSummary } from '../protocol.ts';
import { MOST_FLOWS, type Source } from './source.ts';

export interface FlowList {
  readonly all: FlowSummary[];
  /** There may be more, which were not asked for yet. */
  readonly hasOlder: boolean;
  /** Takes changed and new ones; those that are new. */
  take(changed: FlowSummary[]): FlowSummary[];
  listOlder(): Promise<void>;
}

export function createFlowList(source: Source, first: FlowSummary[]): FlowList {
  let all = first;
  let hasOlder = first.length >= MOST_FLOWS;

  function take(changed: FlowSummary[]): FlowSummary[] {
    const fresh = changed.filter((one) => !all.some(({ id }) => id === one.id));
    const now = new Map(changed.map((one) => [one.id, one]));
    const merged = [...fresh, ...all.map((one) => now.get(one.id) ?? one)];
    all = merged.toSorted((one, other) => other.startedAt - one.startedAt);
    return fresh;
  }

  return {
    get all() {
      return all;
    },
    get hasOlder() {
      return hasOlder;
    },
    take,
    async listOlder() {
      const older = await source.olderThan(all.at(-1)?.startedAt ?? 0);
      hasOlder = older.length >= MOST_FLOWS;
      take(older);
    },
  };
}
