/** Questions at the terminal, one line each. */
import { createInterface } from 'node:readline/promises';

/** What was typed before a question that decides something is not its answer. Milliseconds. */
const SETTLE = 300;

const ignore = () => {};

/** Throws away what already waits at the terminal. A pipe is left alone: it was written on purpose. */
export async function forgetTypedAhead(): Promise<void> {
  const { stdin } = process;
  if (!stdin.isTTY) return;
  stdin.on('data', ignore);
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  stdin.off('data', ignore).pause();
}

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
