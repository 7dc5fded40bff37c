/** Asks for a passphrase at the terminal; nothing is echoed. From a pipe, one line is taken. */
import { createPassphraseLine } from './passphrase-line.ts';

/**
 * Resolves with the bytes, which the caller zeroes, or `null` on Esc, Ctrl-C or the end of the
 * input. The question goes to stderr.
 */
export function readPassphrase(question: string): Promise<Buffer | null> {
  const { stdin, stderr } = process;
  const line = createPassphraseLine();
  const raw = stdin.isTTY;
  stderr.write(question);
  if (raw) stdin.setRawMode(true);

  return new Promise((resolve) => {
    function end(passphrase: Buffer | null): void {
      stdin.off('data', feed).off('end', ended).pause();
      if (raw) stdin.setRawMode(false);
      stderr.write('\n');
      line.clear();
      resolve(passphrase);
    }
    function ended(): void {
      // A pipe whose last line has no newline.
      const { outcome } = line.feed(Buffer.from('\n'));
      end(outcome === 'entered' && line.characters > 0 ? line.take() : null);
    }
    function feed(chunk: Buffer): void {
      const { outcome, used } = line.feed(chunk);
      if (outcome === 'typing') return;
      if (used < chunk.length) stdin.unshift(Buffer.from(chunk.subarray(used)));
      chunk.fill(0);
      end(outcome === 'entered' ? line.take() : null);
    }
    stdin.on('data', feed).once('end', ended).resume();
  });
}
