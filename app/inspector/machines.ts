/** The machines that are inspected: those whose files `stately.config.json` names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { loadCharts } from '../diagrams/charts.ts';
import type { Device } from './protocol.ts';

export interface InspectedMachine {
  /** Its streams' prefix, and its file's name without `.machine.ts`. */
  name: string;
  device: Device;
  machine: AnyStateMachine;
}

/** In a checkout the sources, in the built package what was made of them. By file name. */
export async function inspectedMachines(): Promise<InspectedMachine[]> {
  const charts = await loadCharts(folder('../../'), configFolder());
  return charts.map(({ name, file, machine }) => ({ name, device: deviceOf(file), machine }));
}

/** The machines of one device, by the prefix of their streams. */
export function machinesOf(device: Device, all: InspectedMachine[]): Map<string, AnyStateMachine> {
  const own = all.filter((one) => one.device === device);
  return new Map(own.map(({ name, machine }) => [name, machine]));
}

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The checkout, or the package around what was built. */
function configFolder(): string {
  const found = ['../../', '../../../']
    .map((path) => folder(path))
    .find((path) => existsSync(join(path, 'stately.config.json')));
  if (found === undefined) throw new Error('stately.config.json is not where it belongs');
  return found;
}

const deviceOf = (file: string): Device =>
  /\/phone\/|\/phone-[^/]+$/.test(file) ? 'phone' : 'headset';
