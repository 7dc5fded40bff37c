/** One flow with every frame of it, for a page that has no server. */
import { version } from '../version.ts';
import type { DeviceSource } from './device-source.ts';
import type { Exported, MachineView, Place, WhatIf } from './protocol.ts';
import { Refusal } from './refusal.ts';

/** Events of a flow that one file holds. */
const mostRows = 2_000;

/** @throws {Refusal} 404 when there is no such flow, 413 when it is too long */
export async function exportedFlow(source: DeviceSource, id: string): Promise<Exported> {
  const flow = await source.flow(id);
  const { rows, before, summary } = flow;
  if (rows.length > mostRows)
    throw new Refusal(413, `a file holds ${mostRows} events, and this flow has ${rows.length}`);
  const places = [...before, ...rows].map(({ device, stream, version }): Place => ({
    device,
    stream,
    version,
  }));
  const found = await source.views(places);
  const views: Record<string, MachineView> = {};
  const whatIfs: Record<string, WhatIf> = {};
  for (const [index, place] of places.entries()) {
    const key = `${place.stream}@${place.version}`;
    const view = found[index];
    if (view === undefined || key in views) continue;
    views[key] = view;
    whatIfs[key] = await source.whatIf(place);
  }
  const devices = new Set(places.map(({ device }) => device));
  return {
    opening: {
      shows: devices.size > 1 ? 'both' : summary.device,
      version: version(),
      charts: await source.charts(),
      flows: [summary],
      driving: null,
      notices: [],
    },
    flow,
    views,
    whatIfs,
    exportedAt: Date.now(),
  };
}
