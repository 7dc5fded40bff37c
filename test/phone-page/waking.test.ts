import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWaking } from '../../app/phone/web/waking.ts';

const ref = 'headset/1';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function waking(now: { isVisible: boolean; isUnseen: boolean }) {
  const woken: string[] = [];
  const arrived = createWaking({
    isAnyVisible: () => now.isVisible,
    isUnseen: () => now.isUnseen,
    asleep: (one) => woken.push(one),
  });
  return { arrived, woken };
}

describe('the page is asleep', () => {
  it('in a moment where nobody has it before them', () => {
    const { arrived, woken } = waking({ isVisible: false, isUnseen: true });
    arrived(ref);
    vi.advanceTimersByTime(500);
    expect(woken).toEqual([ref]);
  });

  it('not where it only comes back', () => {
    const now = { isVisible: false, isUnseen: true };
    const { arrived, woken } = waking(now);
    arrived(ref);
    vi.advanceTimersByTime(300);
    now.isUnseen = false;
    vi.advanceTimersByTime(10_000);
    expect(woken).toEqual([]);
  });

  it('not where it has painted the sheet', () => {
    const now = { isVisible: true, isUnseen: true };
    const { arrived, woken } = waking(now);
    arrived(ref);
    now.isUnseen = false;
    vi.advanceTimersByTime(10_000);
    expect(woken).toEqual([]);
  });

  it('later where it calls itself visible and paints nothing', () => {
    const { arrived, woken } = waking({ isVisible: true, isUnseen: true });
    arrived(ref);
    vi.advanceTimersByTime(1_999);
    expect(woken).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(woken).toEqual([ref]);
  });
});
