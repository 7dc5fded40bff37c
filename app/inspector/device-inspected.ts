/** One device's log, opened for its inspector. */
import type { Program } from '../home.ts';
import type { DeviceSource } from './device-source.ts';
import { drawCharts } from './drawn-charts.ts';
import { createLogSource } from './log-source.ts';
import { inspectedMachines, machinesOf } from './machines.ts';
import type { Device, DrawnChart } from './protocol.ts';
import { readLog } from './read-log.ts';

export interface InspectedDevice {
  source: DeviceSource;
  /** The charts of these devices. */
  charts: (devices: Device[]) => Promise<DrawnChart[]>;
  close(): void;
}

/** Throws the log's errors, and `Trouble` when the state directory cannot be used. */
export async function inspectDevice(program: Program): Promise<InspectedDevice> {
  const device = program === 'vmux' ? 'headset' : 'phone';
  const log = readLog(program);
  try {
    const machines = await inspectedMachines();
    const charts = drawCharts(machines);
    const source = createLogSource({
      device,
      log,
      machines: machinesOf(device, machines),
      charts: () => charts([device]),
    });
    return { source, charts, close: () => log.close() };
  } catch (error) {
    log.close();
    throw error;
  }
}
