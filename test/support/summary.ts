/** What `npm test` says at its end, from the JSON report of vitest. */

export interface Report {
  testResults: {
    name: string;
    status: string;
    assertionResults: {
      ancestorTitles: string[];
      title: string;
      status: string;
    }[];
  }[];
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A file that fails with no failing test of its own (it does not load) counts as one failure. */
export function count({ testResults }: Report): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of testResults) {
    for (const test of assertionResults) counts[outcome(test.status)] += 1;
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed'))
      counts.failed += 1;
  }
  return counts;
}

/** `N passed, N failed`, and the skipped if there are any. */
export function totals({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * One line for each test that was skipped, its reason in its name; a group that was skipped whole is
 * one line. `root` is cut off the names of files.
 */
export function skippedLines({ testResults }: Report, root: string): string[] {
  return testResults.flatMap(({ name, assertionResults }) => {
    const file = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name;
    const groups = Map.groupBy(assertionResults, (test) => test.ancestorTitles.join(' › '));
    return [...groups].flatMap(([group, tests]) => {
      const skipped = tests.filter((test) => outcome(test.status) === 'skipped');
      if (skipped.length > 1 && skipped.length === tests.length && group !== '')
        return [`${file} › ${group} (${skipped.length} tests)`];
      return skipped.map((test) => [file, group, test.title].filter(Boolean).join(' › '));
    });
  });
}

function outcome(status: string): keyof Counts {
  return status === 'passed' || status === 'failed' ? status : 'skipped';
}
