/**
 * `npm run mutate`: removes each transition and each guard of every chart in turn, and tells which
 * of these mutants the stories of the chart do not notice. Only stories count: they assert states,
 * commands and words, and are not derived from the chart.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runMutants } from './run-mutants.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '.' },
    stories: { type: 'string', default: 'test/machines' },
  },
});

const verdicts = await runMutants(resolve(values.root), values.stories);
let killedInAll = 0;
let all = 0;
let whole = true;
for (const { chart, trouble, killed, total, survived } of verdicts) {
  for (const name of survived) console.log(`survived: ${name}`);
  if (trouble !== null) console.log(`not judged: ${trouble}`);
  console.log(`${chart}: killed ${killed}/${total}`);
  killedInAll += killed;
  all += total;
  whole &&= trouble === null && survived.length === 0;
}
console.log(`killed ${killedInAll}/${all}`);
process.exitCode = whole && all > 0 ? 0 : 1;
