/**
 * `npm test`: provides the programs that tests meet, runs vitest with the arguments given, and ends
 * with what was covered, what was skipped, and `N passed, N failed` as its last line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canInstall, install, missing, pathWithServers } from './support/packages.ts';
import { count, skippedLines, totals, type Report } from './support/summary.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

function provide(): void {
  const lacking = missing();
  if (lacking.length > 0 && canInstall()) {
    const packages = lacking.map(({ debian }) => debian);
    say(`installing ${packages.join(', ')}`);
    const trouble = install(packages);
    if (trouble !== null) say(`apt-get failed:\n${trouble}`);
  }
  for (const { command, debian, suites } of missing())
    say(`missing: ${command} (Debian: ${debian}); skipped for want of it: ${suites}`);
}

/** Runs vitest; false when it says that something went wrong. */
async function runTests(reportFile: string, transitionsFile: string): Promise<boolean> {
  const vitest = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...process.argv.slice(2),
    ],
    {
      env: { ...process.env, PATH: pathWithServers(), TRANSITIONS_FILE: transitionsFile },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  process.on('SIGINT', () => vitest.kill('SIGINT'));
  process.on('SIGTERM', () => vitest.kill('SIGTERM'));
  const [status] = await once(vitest, 'exit');
  return status === 0;
}

const folder = mkdtempSync(join(tmpdir(), 'test-run-'));
try {
  provide();
  const reportFile = join(folder, 'report.json');
  const transitionsFile = join(folder, 'transitions');
  const fine = await runTests(reportFile, transitionsFile);
  const report: Report = existsSync(reportFile)
    ? JSON.parse(readFileSync(reportFile, 'utf8'))
    : { testResults: [] };
  const counts = count(report);

  if (existsSync(transitionsFile))
    for (const line of readFileSync(transitionsFile, 'utf8').trim().split('\n').toSorted())
      say(line);
  for (const line of skippedLines(report, process.cwd())) say(`skipped: ${line}`);
  if (counts.passed + counts.failed === 0) say('no test ran');
  else if (!fine && counts.failed === 0) say('vitest reported an error outside the tests');
  if (!fine || counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
  say(totals(counts));
} finally {
  rmSync(folder, { recursive: true });
}
