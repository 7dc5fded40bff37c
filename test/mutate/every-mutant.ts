/**
 * The stories of one chart, once as it is and once for each of its mutants; vitest runs this file
 * for `mutate.ts`. A mutant's stories stop at the first that fails.
 */
import { beforeEach, describe, inject, vi } from 'vitest';
import { StateMachine } from 'xstate';
import { mutantsOf, type ChartConfig, type Mutant } from './mutants.ts';
import { mutation } from './mutation.ts';

declare module 'vitest' {
  interface ProvidedContext {
    chartFile: string;
    stories: string[];
  }
}

const whole = 'as it is';

const exported: object = await import(inject('chartFile'));
const machine = Object.values(exported).find((value) => value instanceof StateMachine);
const subjects: (Mutant | { name: string; config: null })[] = [
  { name: whole, config: null },
  ...mutantsOf(machine?.config as ChartConfig),
];

for (const { name, config } of subjects) {
  describe(name, async () => {
    let killed = false;
    beforeEach((test) => {
      test.skip(killed);
      test.onTestFailed(() => {
        killed = true;
      });
    });
    mutation().current = config;
    vi.resetModules();
    for (const story of inject('stories')) await import(story);
  });
}
