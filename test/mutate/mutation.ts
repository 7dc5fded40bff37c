/** Which mutant the charts that are imported now become. Modules are thrown away between mutants. */
import type { ChartConfig } from './mutants.ts';

interface Mutation {
  current: ChartConfig | null;
  /** Ids of the machines that were made. */
  made: Set<string | undefined>;
}

const slot: { mutation?: Mutation } = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('chart mutation')
] ??= {}) as { mutation?: Mutation };

export function mutation(): Mutation {
  return (slot.mutation ??= { current: null, made: new Set() });
}
