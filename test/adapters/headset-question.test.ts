import { expect, test } from 'vitest';
import { createQuestion } from '../../app/headset/question.ts';

test('a question takes no yes in its first 700 ms, each time that it is asked', () => {
  const clock = { now: 5_000 };
  const question = createQuestion(() => clock.now);
  expect(question.takesYes()).toBe(false);
  for (let round = 0; round < 2; round += 1) {
    expect(question.begins(true)).toBe(true);
    clock.now += 699;
    expect(question.takesYes()).toBe(false);
    expect(question.begins(true)).toBe(false);
    clock.now += 1;
    expect(question.takesYes()).toBe(true);
    expect(question.begins(false)).toBe(false);
    expect(question.takesYes()).toBe(false);
  }
});
