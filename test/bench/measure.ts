/** Taking times on a machine that others use too: interleaved, as medians, compared in one run. */

/** Of at least one number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

/**
 * Does each of these in turn, `rounds` times, after one round that does not count. Each resolves
 * with what it measured itself: one number, usually milliseconds.
 */
export async function interleaved<Name extends string>(
  rounds: number,
  measured: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measured) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round += 1) {
    for (const name of names) {
      const value = await measured[name]();
      if (round >= 0) taken[name]?.push(value);
    }
  }
  return taken as Record<Name, number[]>;
}

/** Milliseconds that `work` took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** One line of the result: what, its number, and what there is to say of it. */
export function line(what: string, value: string, remark = ''): void {
  console.log(`  ${what.padEnd(58)} ${value.padStart(10)}  ${remark}`.trimEnd());
}

export function heading(text: string): void {
  console.log(`\n${text}`);
}

export const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const times = (value: number): string => `× ${value.toFixed(2)}`;
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** `goal ≤ 5 ms: met`. */
export function goal(value: number, atMost: number, show: (value: number) => string): string {
  return `goal ≤ ${show(atMost).replace(/\.0(?!\d)/, '')}: ${value <= atMost ? 'met' : 'not met'}`;
}
