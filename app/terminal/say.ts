/** A line for the person, beside the output that programs read. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
