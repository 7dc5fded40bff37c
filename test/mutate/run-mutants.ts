/** Runs the stories of charts against every mutant, in one vitest. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { startVitest, type TestModule, type TestSuite } from 'vitest/node';
import { loadCharts, type Chart } from '../../app/diagrams/charts.ts';
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
 * `root` has the `stately.config.json` that names the charts; `stories`, below it, holds
 * `<chart>.story.test.ts` and `<chart>.<part>.story.test.ts`.
 */
export async function runMutants(root: string, stories: string): Promise<Verdict[]> {
  const charts = await loadCharts(root);
  const told = charts.flatMap((chart) => {
    const pattern = `${chart.name}{,.*}.story.test.ts`;
    const files = globSync(pattern, { cwd: join(root, stories) }).toSorted();
    return files.length === 0
      ? []
      : [{ chart, files: files.map((file) => join(root, stories, file)) }];
  });
  if (told.length === 0) return charts.map(untold);
  const vitest = await startVitest(
    [],
    {
      config: false,
      watch: false,
      reporters: [{}],
      silent: true,
      dangerouslyIgnoreUnhandledErrors: true,
      projects: told.map(({ chart, files }) => ({
        plugins: [mutatingXstate],
        test: {
          name: chart.name,
          root: join(import.meta.dirname, '../..'),
          include: ['test/mutate/every-mutant.ts'],
          provide: { chartFile: join(root, chart.file), stories: files },
          pool: 'threads',
          maxWorkers: '100%',
          testTimeout: 3_000,
          sequence: { groupOrder: 1 },
        },
      })),
    },
    { root: join(import.meta.dirname, '../..') },
  );
  const modules = vitest.state.getTestModules();
  const verdicts = charts.map((chart) => {
    const module = modules.find(({ project }) => project.name === chart.name);
    return module === undefined ? untold(chart) : verdictOn(chart.name, module);
  });
  await vitest.close();
  return verdicts;
}

/** Charts get the library that mutates them; nothing else does. */
const mutatingXstate = {
  name: 'mutating-xstate',
  enforce: 'pre' as const,
  resolveId: (source: string, importer: string | undefined) =>
    source === 'xstate' && importer?.endsWith('.machine.ts')
      ? join(import.meta.dirname, 'xstate.ts')
      : undefined,
};

function untold({ name, machine }: Chart): Verdict {
  const total = mutantsOf(machine.config as ChartConfig).length;
  return { chart: name, trouble: `${name} has no story`, killed: 0, total, survived: [] };
}

function verdictOn(chart: string, module: TestModule): Verdict {
  const [whole, ...mutants] = [...module.children].filter((child) => child.type === 'suite');
  const survived = mutants.filter((mutant) => !isKilled(mutant)).map(({ name }) => name);
  return {
    chart,
    trouble: troubleWith(module, whole, mutants),
    killed: mutants.length - survived.length,
    total: mutants.length,
    survived,
  };
}

function isKilled(mutant: TestSuite): boolean {
  return [...mutant.children.allTests('failed')].length > 0;
}

/** A mutant is judged by tests that run: stories must hold without mutation, and load with it. */
function troubleWith(
  module: TestModule,
  whole: TestSuite | undefined,
  mutants: TestSuite[],
): string | null {
  const name = module.project.name;
  if (whole === undefined) return `${name}: ${messageOf(module.errors())}`;
  const [failed] = whole.children.allTests('failed');
  if (failed) return `${name}, unmutated, fails: ${failed.fullName}`;
  const unloaded = [whole, ...mutants].find((suite) => [...suite.children.allTests()].length === 0);
  if (unloaded) return `${name}, ${unloaded.name}: ${messageOf(unloaded.errors())}`;
  return null;
}

const messageOf = (errors: { message: string }[]) => errors[0]?.message ?? 'no test was found';
