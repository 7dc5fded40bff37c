/** The charts of the inspected machines, drawn once for as long as the program runs. */
import type { InspectedMachine } from './machines.ts';
import type { Device, DrawnChart } from './protocol.ts';

/** Begins to draw at once, so that a page that opens later need not wait. */
export function drawCharts(
  machines: InspectedMachine[],
): (devices: Device[]) => Promise<DrawnChart[]> {
  const drawing = Promise.all(machines.map((one) => drawn(one)));
  // Whoever asks for them gets the error.
  drawing.catch(() => {});
  return async (devices) => (await drawing).filter(({ device }) => devices.includes(device));
}

async function drawn({ name, device, machine }: InspectedMachine): Promise<DrawnChart> {
  const { chartSvg } = await import('../diagrams/chart-svg.ts');
  const svg = await chartSvg(machine, { title: name });
  return {
    machine: name,
    device,
    // The page has the style sheet once, for all of them.
    svg: svg.replace(/<style>.*?<\/style>\s*/s, ''),
    description: machine.root.description ?? '',
  };
}
