/** The machines that are inspected: those whose files `stately.config.json` names. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StateMachine, type AnyStateMachine } from 'xstate';
import type { Device } from './protocol.ts';

export interface InspectedMachine {
  /** Its streams' prefix, and its file's name without `.machine.ts`. */
  name: string;
  device: Device;
  machine: AnyStateMachine;
}

/** In a checkout the sources, in the built package what was made of them. By file name. */
export async function inspectedMachines(): Promise<InspectedMachine[]> {
  const isBuilt = import.meta.url.endsWith('.js');
  const here = fileURLToPath(new URL('../../', import.meta.url));
  const { include } = JSON.parse(readFileSync(configFile(), 'utf8')) as { include: string[] };
  const patterns = include.map((each) => (isBuilt ? each.replace(/\.ts$/, '.js') : each));
  const files = globSync(patterns, { cwd: here })
    .map((file) => file.split(sep).join('/'))
    .toSorted();
  return Promise.all(
    files.map(async (file) => {
      const exported: object = await import(pathToFileURL(join(here, file)).href);
      const machine = Object.values(exported).find((value) => value instanceof StateMachine);
      if (machine === undefined) throw new Error(`${file} exports no machine`);
      const name = basename(file).replace(/\.machine\.[jt]s$/, '');
      return { name, device: deviceOf(file), machine };
    }),
  );
}

/** The machines of one device, by the prefix of their streams. */
export function machinesOf(device: Device, all: InspectedMachine[]): Map<string, AnyStateMachine> {
  const own = all.filter((one) => one.device === device);
  return new Map(own.map(({ name, machine }) => [name, machine]));
}

function configFile(): string {
  const found = ['../../stately.config.json', '../../../stately.config.json']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error('stately.config.json is not where it belongs');
  return found;
}

const deviceOf = (file: string): Device =>
  /\/phone\/|\/phone-[^/]+$/.test(file) ? 'phone' : 'headset';
