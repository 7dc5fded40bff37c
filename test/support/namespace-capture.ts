import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Host } from './namespace-hosts.ts';

/** This machine can capture traffic. */
export const hasTcpdump = spawnSync('tcpdump', ['--version']).error === undefined;

export interface Capture {
  /** Ends the capture; everything that any interface of the host sent and received. */
  stop(): Promise<Buffer>;
}

/** Resolves when packets are being written to `file`. */
export async function startCapture(host: Host, file: string): Promise<Capture> {
  const args = ['-i', 'any', '-U', '-s', '0', '-Z', 'root', '-w', file];
  const tcpdump = host.spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const { stderr } = tcpdump;
  if (stderr === null) throw new Error('stderr must be a pipe');
  let said = '';
  while (!said.includes('listening on')) said += String((await once(stderr, 'data'))[0]);
  stderr.resume();
  return {
    async stop() {
      const ended = once(tcpdump, 'exit');
      tcpdump.kill('SIGINT');
      await ended;
      return readFileSync(file);
    },
  };
}

/** The ways in which a text may stand in traffic, letters of either case alike. */
export function encodings(text: string): Record<string, Buffer> {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  return {
    'UTF-8': utf8,
    'UTF-16LE': utf16,
    'UTF-16BE': Buffer.from(utf16).swap16(),
    hex: Buffer.from(utf8.toString('hex')),
    ...Object.fromEntries([0, 1, 2].map((shift) => [`base64, shifted by ${shift}`, base64(shift)])),
  };

  /** Without the characters that depend on what stands before and after. */
  function base64(shift: number): Buffer {
    const whole = Buffer.concat([Buffer.alloc(shift), utf8]).toString('base64');
    const from = Math.ceil((shift * 8) / 6);
    return Buffer.from(whole.slice(from, Math.floor(((shift + utf8.length) * 8) / 6)));
  }
}

/** The encodings in which the capture holds this text. */
export function occurrences(capture: Buffer, text: string): string[] {
  const folded = capture.toString('latin1').toLowerCase();
  return Object.entries(encodings(text))
    .filter(([name, bytes]) =>
      name.startsWith('base64')
        ? capture.includes(bytes)
        : folded.includes(bytes.toString('latin1').toLowerCase()),
    )
    .map(([name]) => name);
}
