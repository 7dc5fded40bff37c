import { describe, expect, it } from 'vitest';
import { loadCharts } from '../../app/diagrams/charts.ts';
import { reportCoverage, walkEdges } from '../support/transition-coverage.ts';

const charts = await loadCharts(process.cwd());

describe.each(charts)('$name', ({ name, machine }) => {
  it('lives through every edge of its graph as foretold, and takes every transition', async () => {
    const { model } = await import(`./models/${name}.ts`);
    expect(model.machine).toBe(machine);
    const walk = walkEdges(model);
    reportCoverage(name, walk);
    expect(walk.divergences).toEqual([]);
    expect(walk.missed).toEqual([]);
  });
});
