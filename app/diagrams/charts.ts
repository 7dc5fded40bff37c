/** The statecharts of this project, as `stately.config.json` names them. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StateMachine, type AnyStateMachine } from 'xstate';

export interface Chart {
  /** The file's name without `.machine.ts`: the prefix of its streams, too. */
  name: string;
  /** Relative to the project, with forward slashes. */
  file: string;
  machine: AnyStateMachine;
}

/**
 * Every machine that the included modules below `root` export, by file. Throws when a module exports
 * none or more than one: a chart is a file. `config`: the folder of `stately.config.json`.
 */
export async function loadCharts(root: string, config = root): Promise<Chart[]> {
  const charts: Chart[] = [];
  for (const file of chartFiles(root, config)) {
    const exported: object = await import(pathToFileURL(join(root, file)).href);
    const machines = Object.values(exported).filter((value) => value instanceof StateMachine);
    const [machine] = machines;
    if (machine === undefined || machines.length > 1)
      throw new Error(`${file} exports ${machines.length} machines, not one`);
    charts.push({ name: basename(file).replace(/\.machine\.[jt]s$/, ''), file, machine });
  }
  return charts;
}

/**
 * The files that `include` of `stately.config.json` matches below `root`, sorted. In the built
 * package they are what was made of those.
 */
export function chartFiles(root: string, config = root): string[] {
  const { include }: { include: string[] } = JSON.parse(
    readFileSync(join(config, 'stately.config.json'), 'utf8'),
  );
  const isBuilt = import.meta.url.endsWith('.js');
  const patterns = include.map((each) => (isBuilt ? each.replace(/\.ts$/, '.js') : each));
  const files = globSync(patterns, { cwd: root }).map((file) => file.split(sep).join('/'));
  return files.toSorted();
}
