/** One thing that a doctor looks at, and what it found. */

export interface Check {
  hop: string;
  ok: boolean;
  /** Milliseconds. */
  ms: number;
  found: string;
  hint: string | null;
}

export type Finding = Pick<Check, 'ok' | 'found' | 'hint'>;

export const good = (found: string): Finding => ({ ok: true, found, hint: null });
export const bad = (found: string, hint: string): Finding => ({ ok: false, found, hint });

export async function measure(
  hop: string,
  check: () => Finding | Promise<Finding>,
): Promise<Check> {
  const began = performance.now();
  const finding = await check();
  return { hop, ms: performance.now() - began, ...finding };
}

export function printCheck({ hop, ok, ms, found, hint }: Check): void {
  process.stdout.write(
    `${ok ? 'ok  ' : 'FAIL'}  ${hop.padEnd(13)} ${String(Math.round(ms)).padStart(5)} ms  ${found}\n`,
  );
  if (hint !== null) process.stdout.write(`      hint: ${hint}\n`);
}
