/** The statecharts of this project, as `stately.config.json` names them. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StateMachine, type AnyStateMachine } from 'xstate';

export interface Chart {
  /** The file's name without `.machine.ts`. */
  name: string;
  /** Relative to the project, with forward slashes. */
  file: string;
  machine: AnyStateMachine;
}

/**
 * Every machine that the included modules export, by file. Throws when a module exports none or
 * more than one: a chart is a file.
 */
export async function loadCharts(root: string): Promise<Chart[]> {
  const charts: Chart[] = [];
  for (const file of chartFiles(root)) {
    const exported: object = await import(pathToFileURL(join(root, file)).href);
    const machines = Object.values(exported).filter((value) => value instanceof StateMachine);
    const [machine] = machines;
    if (machine === undefined || machines.length > 1)
      throw new Error(`${file} exports ${machines.length} machines, not one`);
    charts.push({ name: basename(file, '.machine.ts'), file, machine });
  }
  return charts;
}

/** The files that `include` of `stately.config.json` in `root` matches, sorted. */
export function chartFiles(root: string): string[] {
  const { include }: { include: string[] } = JSON.parse(
    readFileSync(join(root, 'stately.config.json'), 'utf8'),
  );
  const files = globSync(include, { cwd: root }).map((file) => file.split(sep).join('/'));
  return files.toSorted();
}
