import { describe, expect, it } from 'vitest';
import { nameOfBrowser, tidyCode } from '../../app/phone/page/pairing-words.ts';
import { createTapGuard, READING_TIME } from '../../app/phone/page/tap-guard.ts';
import { dayWords, minutesUntilTomorrow } from '../../app/phone/page/words.ts';
import { desktop, iPhone } from './scenes.ts';

function guarded() {
  let now = 0;
  const guard = createTapGuard(() => now);
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { guard, pass };
}

describe('the guard of taps', () => {
  it('counts a tap on what was on screen for its time, and not a moment earlier', () => {
    const { guard, pass } = guarded();
    guard.painted('a');
    pass(READING_TIME - 1);
    guard.pressed(false);
    expect(guard.isMeant('a')).toBe(false);
    pass(1);
    guard.pressed(false);
    expect(guard.isMeant('a')).toBe(true);
  });

  it('counts one that a screen reader makes at once, for the same time', () => {
    const { guard, pass } = guarded();
    guard.painted('a');
    expect(guard.isMeant('a')).toBe(false);
    pass(READING_TIME);
    expect(guard.isMeant('a')).toBe(true);
  });

  it('counts none that began elsewhere: on nothing, on another, by a key that is held', () => {
    const { guard, pass } = guarded();
    guard.pressed(false);
    guard.painted('a');
    pass(READING_TIME);
    expect(guard.isMeant('a')).toBe(false);
    guard.pressed(false);
    guard.hidden();
    guard.painted('b');
    pass(READING_TIME);
    expect(guard.isMeant('b')).toBe(false);
    guard.pressed(true);
    expect(guard.isMeant('b')).toBe(false);
  });

  it('counts none on what is not the sheet on screen, or was hidden since', () => {
    const { guard, pass } = guarded();
    guard.painted('a');
    pass(READING_TIME);
    guard.pressed(false);
    expect(guard.isMeant('b')).toBe(false);
    guard.hidden();
    guard.pressed(false);
    expect(guard.isMeant('a')).toBe(false);
    guard.painted('a');
    pass(READING_TIME - 1);
    guard.pressed(false);
    expect(guard.isMeant('a')).toBe(false);
  });
});

describe('words of the page', () => {
  it.each([
    ['ABCD-2345', 'ABCD2345'],
    ['abcd 2345', 'ABCD2345'],
    ['oOiI-lL00', '00111100'],
    ['ABCD-2345-6789', 'ABCD2345'],
    ['u?', ''],
  ])('reads the code %s', (typed, read) => {
    expect(tidyCode(typed)).toBe(read);
  });

  it.each([
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Safari/604.1', iPhone, 'iPhone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1', iPhone, 'iPad'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1', desktop, 'Safari on Mac'],
    ['Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36', desktop, 'Chrome on Linux'],
    ['Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile', desktop, 'Chrome on Android'],
    ['Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140', desktop, 'Edge on Windows'],
    ['curl', desktop, 'Browser'],
  ])('names the browser of %s', (userAgent, abilities, name) => {
    expect(nameOfBrowser(userAgent, abilities)).toBe(name);
  });

  it('counts days by the calendar', () => {
    const now = new Date(2026, 10, 26, 0, 10).getTime();
    expect(dayWords(now - 5 * 60_000, now)).toBe('Today');
    expect(dayWords(now - 15 * 60_000, now)).toBe('Yesterday');
    expect(minutesUntilTomorrow(now)).toBe(23 * 60 + 50);
    expect(minutesUntilTomorrow(new Date(2026, 10, 26, 23, 59, 30).getTime())).toBe(1);
  });
});
