/**
 * The stories of a chart, once for each of its mutants, and at last with the chart as it is: so no
 * mutant has left anything behind that kills others. Vitest runs this file for `mutate.ts`. A
 * mutant's stories stop at the first that fails.
 */
import { beforeEach, describe, inject, vi } from 'vitest';
import { StateMachine } from 'xstate';
import { mutantsOf, type ChartConfig } from './mutants.ts';
import { mutation } from './mutation.ts';

declare module 'vitest' {
  interface ProvidedContext {
    chartFile: string;
    stories: string[];
  }
}

const exported: object = await import(inject('chartFile'));
const machine = Object.values(exported).find((value) => value instanceof StateMachine);
const ofThisChart: string[] = [];

describe('which stories are of this chart', async () => {
  beforeEach((context) => context.skip());
  for (const story of inject('stories')) {
    vi.resetModules();
    mutation().made.clear();
    await import(story);
    if (mutation().made.has(machine?.id)) ofThisChart.push(story);
  }
});

for (const { name, config } of mutantsOf(machine?.config as ChartConfig)) {
  describe(name, async () => {
    let killed = false;
    beforeEach((context) => {
      context.skip(killed);
      context.onTestFailed(() => {
        killed = true;
      });
    });
    mutation().current = config;
    vi.resetModules();
    for (const story of ofThisChart) await import(story);
  });
}

describe('as it is', async () => {
  mutation().current = null;
  vi.resetModules();
  for (const story of ofThisChart) await import(story);
});
