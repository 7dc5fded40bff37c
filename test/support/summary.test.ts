import { describe, expect, it } from 'vitest';
import { count, skippedLines, totals, type Report } from './summary.ts';

const test = (title: string, status: string, ...ancestorTitles: string[]) => ({
  title,
  status,
  ancestorTitles,
});

const report: Report = {
  testResults: [
    { name: '/here/test/a.test.ts', status: 'passed', assertionResults: [test('a', 'passed')] },
    {
      name: '/here/test/b.test.ts',
      status: 'failed',
      assertionResults: [
        test('b', 'failed', 'group'),
        test('c [skipped: no tmux]', 'skipped', 'group'),
        test('d', 'pending', 'veth [skipped: needs root]'),
        test('e', 'skipped', 'veth [skipped: needs root]'),
      ],
    },
    { name: '/here/test/broken.test.ts', status: 'failed', assertionResults: [] },
  ],
};

describe('the summary of a test run', () => {
  it('counts tests, and a file that does not load as one failure', () => {
    expect(count(report)).toEqual({ passed: 1, failed: 2, skipped: 3 });
  });

  it('names every skipped test with its reason, and a skipped group once', () => {
    expect(skippedLines(report, '/here')).toEqual([
      'test/b.test.ts › group › c [skipped: no tmux]',
      'test/b.test.ts › veth [skipped: needs root] (2 tests)',
    ]);
  });

  it('ends with the numbers, and mentions the skipped only if there are any', () => {
    expect(totals({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(totals({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });
});
