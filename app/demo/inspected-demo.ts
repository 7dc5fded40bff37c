/** `npm start -- --inspect`: the demo's two devices on one page, while they are at it. */
import { drawCharts } from '../inspector/drawn-charts.ts';
import type { DeviceSource } from '../inspector/device-source.ts';
import { joinSources } from '../inspector/joined-source.ts';
import { createLogSource } from '../inspector/log-source.ts';
import { inspectedMachines, machinesOf } from '../inspector/machines.ts';
import { openInBrowser } from '../inspector/open-in-browser.ts';
import { startInspector } from '../inspector/start-inspector.ts';
import type { Devices } from './devices.ts';
import type { Ending } from './ending.ts';
import type { Narrator } from './narrator.ts';

/** How long the demo waits for somebody to watch. Milliseconds. */
const PATIENCE = 15_000;

/** Opens the page and waits until it is there, or nobody opens it. `home`: a private directory. */
export async function inspectDemo(
  devices: Devices,
  home: string,
  narrator: Narrator,
  ending: Ending,
): Promise<void> {
  const machines = await inspectedMachines();
  const charts = drawCharts(machines);
  const sourceOf = (device: 'headset' | 'phone'): DeviceSource =>
    createLogSource({
      device,
      log: devices[device].running.log,
      machines: machinesOf(device, machines),
      charts: () => charts([device]),
    });
  const both = joinSources(sourceOf('headset'), sourceOf('phone'));
  const watched = Promise.withResolvers<true>();
  const source: DeviceSource = {
    ...both,
    onChange(listener) {
      watched.resolve(true);
      return both.onChange(listener);
    },
  };
  const inspector = await startInspector({ source, home });
  ending.defer(inspector.close);

  narrator.heading('The inspector');
  narrator.from('demo', `the inspector is at ${inspector.address}`, 'and waits for your browser');
  openInBrowser(inspector.address);
  const nobody = Promise.withResolvers<false>();
  const patience = setTimeout(() => nobody.resolve(false), PATIENCE);
  const isWatched = await Promise.race([watched.promise, nobody.promise]);
  clearTimeout(patience);
  narrator.from('demo', isWatched ? 'the page is open' : 'nobody came; it stays open for you');
}

/** At the end of the demo: until Ctrl-C. */
export function stayForThePage(narrator: Narrator): Promise<never> {
  narrator.heading('The page stays until Ctrl-C: step through what happened.');
  return new Promise(() => {
    // Keeps the process, which would have nothing left to do.
    setInterval(() => {}, 1 << 30);
  });
}
