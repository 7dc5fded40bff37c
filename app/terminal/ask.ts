/** Questions at the terminal, one line each. */
import { createInterface } from 'node:readline/promises';

/**
 * Asks and resolves with the line, or `null` at the end of the input or on Ctrl-C. The question
 * goes to stderr.
 */
export async function ask(question: string, signal?: AbortSignal): Promise<string | null> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: process.stdin.isTTY && process.stderr.isTTY,
  });
  const closed = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  try {
    const answer = signal ? lines.question(question, { signal }) : lines.question(question);
    const given = await Promise.race([answer.catch(() => null), closed]);
    // Where there is a signal, readline ends the line itself when that is aborted.
    if (given === null && signal === undefined) process.stderr.write('\n');
    return given;
  } finally {
    lines.close();
  }
}
