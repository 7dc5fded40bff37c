import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createWalk } from '../../app/inspector/page/walk.ts';

/** A walk through events, of which more may come. */
function walkThrough(events: number) {
  const state = { index: 0, events };
  const walk = createWalk(
    () => state.events - 1 - state.index,
    async () => {
      state.index += 1;
    },
  );
  return { state, walk };
}

describe('what happens live', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
  });

  it('is shown event by event, 80 ms each, and what comes meanwhile too', async () => {
    const { state, walk } = walkThrough(3);
    walk.start();
    expect(state.index).toBe(1);
    state.events = 4;
    walk.start();
    await vi.advanceTimersByTimeAsync(80);
    expect(state.index).toBe(2);
    await vi.advanceTimersByTimeAsync(80);
    expect([state.index, walk.isOn]).toEqual([3, true]);
    await vi.advanceTimersByTimeAsync(80);
    expect([state.index, walk.isOn]).toEqual([3, false]);
  });

  it('is caught up with sooner when there is much of it', async () => {
    const { state, walk } = walkThrough(101);
    walk.start();
    await vi.advanceTimersByTimeAsync(9);
    expect(state.index).toBe(2);
  });

  it('goes no further when the person looks elsewhere, and never twice as fast', async () => {
    const { state, walk } = walkThrough(9);
    walk.start();
    walk.stop();
    await vi.advanceTimersByTimeAsync(80);
    expect([state.index, walk.isOn]).toEqual([1, false]);
    walk.start();
    walk.stop();
    walk.start();
    expect(state.index).toBe(3);
    await vi.advanceTimersByTimeAsync(80);
    expect(state.index).toBe(4);
  });
});
