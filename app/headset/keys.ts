/** Single keys at the headset's terminal, while no shell has it. */
import type { ReadStream } from 'node:tty';

export type Key = 'escape' | 'enter' | 'interrupt' | 'r' | 'q' | 'y' | 'Y' | 'n' | 'other';

export interface Keys {
  /** Gives the terminal's input to somebody else, still raw. */
  release(): void;
  resume(): void;
}

const named: Record<string, Key> = {
  '\x1b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\x03': 'interrupt',
  r: 'r',
  q: 'q',
  y: 'y',
  Y: 'Y',
  n: 'n',
  N: 'n',
};

/** Without a terminal it reads nothing: the input belongs to the remote command. */
export function readKeys(input: ReadStream, pressed: (key: Key) => void): Keys {
  if (!input.isTTY) return { release() {}, resume() {} };
  const take = (chunk: Buffer) => pressed(named[chunk.toString('latin1')] ?? 'other');
  let reading = false;
  function resume(): void {
    if (reading) return;
    reading = true;
    input.setRawMode(true);
    input.on('data', take).resume();
  }
  resume();
  return {
    release() {
      if (!reading) return;
      reading = false;
      input.off('data', take).pause();
    },
    resume,
  };
}
