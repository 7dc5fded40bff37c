/** How the demo speaks: on a terminal with some colour, otherwise in plain lines. */
import { styleText } from 'node:util';
import type { FailureReason } from '../../machines/failures.ts';
import { failureLines } from '../command-line.ts';

export type Speaker = 'headset' | 'phone' | 'both' | 'person' | 'server' | 'demo';

export interface Narrator {
  heading(text: string): void;
  /** One of the nine steps; `after`: milliseconds since Connect. */
  step(number: number, words: string, after: number): void;
  /** What stands on a device's screen, what somebody does, what a machine knows. */
  from(who: Speaker, ...lines: string[]): void;
  /** The headset's words about a failure: message and hint, as people read them. */
  failure(reason: FailureReason, detail?: string | null): void;
}

/** `stream`: where `write` leads in the end; it says whether colours are wanted. */
export function createNarrator(
  stream: NodeJS.WriteStream,
  write: (line: string) => void = (line) => void stream.write(`${line}\n`),
): Narrator {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream });
  const from = (who: string, lines: string[]) =>
    lines.forEach((line, index) => {
      const name = (index === 0 ? who : '').padEnd(7);
      write(`   ${style('dim', `${name} │`)} ${line}`);
    });

  return {
    heading: (text) => write(`\n${style('bold', text)}`),
    step(number, words, after) {
      const time = style('dim', `(${(after / 1000).toFixed(3)} s)`);
      write(`${style(['cyan', 'bold'], `${number}.`)} ${style('bold', words)} ${time}`);
    },
    from: (who, ...lines) => from(who, lines),
    failure(reason, detail = null) {
      const [message = '', ...rest] = failureLines(reason, detail);
      from('headset', [style(['red', 'bold'], message), ...rest]);
    },
  };
}
