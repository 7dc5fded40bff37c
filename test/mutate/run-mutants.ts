/** Runs the stories of charts against every mutant, in one vitest. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { startVitest, type TestModule, type TestSuite } from 'vitest/node';
import { loadCharts } from '../../app/diagrams/charts.ts';
import { mutantsOf, type ChartConfig } from './mutants.ts';

export interface Verdict {
  chart: string;
  /** Why its mutants could not be judged, or null. */
  trouble: string | null;
  killed: number;
  total: number;
  survived: string[];
}

/**
 * `root` has the `stately.config.json` that names the charts; `stories` is a folder below it, and
 * holds `*.story.test.ts`.
 */
export async function runMutants(root: string, stories: string): Promise<Verdict[]> {
  const charts = await loadCharts(root);
  const files = globSync(join(stories, '*.story.test.ts'), { cwd: root }).toSorted();
  const project = join(import.meta.dirname, '../..');
  const vitest = await startVitest(
    [],
    {
      config: false,
      watch: false,
      reporters: [{}],
      silent: true,
      // Kept transforms know nothing of the plugin below.
      fsModuleCache: false,
      dangerouslyIgnoreUnhandledErrors: true,
      projects: charts.map((chart) => ({
        plugins: [mutatingXstate],
        test: {
          name: chart.name,
          root: project,
          include: ['test/mutate/every-mutant.ts'],
          provide: {
            chartFile: join(root, chart.file),
            stories: files.map((file) => join(root, file)),
          },
          pool: 'threads',
          maxWorkers: '100%',
          testTimeout: 3_000,
          sequence: { groupOrder: 1 },
        },
      })),
    },
    { root: project },
  );
  const modules = vitest.state.getTestModules();
  const verdicts = charts.flatMap(({ name, machine }) => {
    const total = mutantsOf(machine.config as ChartConfig).length;
    const own = modules.filter((module) => module.project.name === name);
    return own.map((module) => verdictOn(module, total));
  });
  await vitest.close();
  return verdicts;
}

/** Charts get the library that mutates them; nothing else does. */
const mutatingXstate = {
  name: 'mutating-xstate',
  enforce: 'pre' as const,
  resolveId: (source: string, importer: string | undefined) =>
    source === 'xstate' && /\.(machine|setup)\.ts$/.test(importer ?? '')
      ? join(import.meta.dirname, 'xstate.ts')
      : undefined,
};

function verdictOn(module: TestModule, total: number): Verdict {
  const suites = [...module.children].filter((child) => child.type === 'suite');
  const mutants = suites.slice(1, -1);
  const survived = mutants.filter((mutant) => failures(mutant).length === 0);
  const trouble = troubleWith(module, suites, mutants);
  return {
    chart: module.project.name,
    trouble,
    killed: trouble === null ? total - survived.length : 0,
    total,
    survived: trouble === null ? survived.map(({ name }) => name) : [],
  };
}

/** A mutant is judged by tests that run: stories must hold without mutation, and load with it. */
function troubleWith(module: TestModule, suites: TestSuite[], mutants: TestSuite[]): string | null {
  const chart = module.project.name;
  const [finding] = suites;
  const whole = suites.at(-1);
  if (finding === undefined || whole === undefined) return `${chart}: ${messageOf(module)}`;
  if (!mutants.some(hasTests)) return `${chart}: ${messageOf(finding)}`;
  const [failed] = failures(whole);
  if (failed) return `${chart}, unmutated, fails: ${failed.fullName}`;
  const unloaded = [...mutants, whole].find((suite) => !hasTests(suite));
  return unloaded ? `${chart}, ${unloaded.name}: ${messageOf(unloaded)}` : null;
}

const failures = (suite: TestSuite) => [...suite.children.allTests('failed')];

const hasTests = (suite: TestSuite) => [...suite.children.allTests()].length > 0;

/** What kept a part from loading; vitest's own complaint about an empty suite says no more. */
const messageOf = (part: TestModule | TestSuite) =>
  part.errors().find(({ message }) => !message.startsWith('No test found'))?.message ??
  'no story was found';
