import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startChild } from '../support/event-log-child.ts';
import { temporaryDirectory } from './agent-examples.ts';

const frames = 1_000_000;

// A young generation of one MiB: V8 would let it grow to a hundred before it looks for garbage,
// and a leak of half that size could hide in there.
const smallHeap = ['env', 'NODE_OPTIONS=--max-semi-space-size=1'];

test('a million frames, most of them malformed: each is answered as it has to be, nothing is kept', async () => {
  const args = ['20261126', String(frames), join(temporaryDirectory(), 'agent.sock')];
  const child = startChild('agent-fuzz.ts', args, smallHeap);
  expect(await child.ended).toBe(0);
  const { grown, ...counts } = JSON.parse(child.lines.join('')) as Record<string, number>;
  const { valid = 0, malformed = 0, scrambled = 0, large = 0, closing = 0 } = counts;
  expect(valid + malformed + scrambled + large).toBe(frames);
  expect(malformed).toBeGreaterThan(frames / 3);
  expect(closing).toBe(frames / 250);
  expect(grown).toBeLessThan(32 * 1024 * 1024);
}, 180_000);
