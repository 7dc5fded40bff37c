/** What of a list is meant. */
import type { FlowSummary, MachineView } from '../protocol.ts';

/** A login, a signature or a pairing, rather than what carried it. */
export const isStory = ({ id }: FlowSummary) => /^(connection|signing|headset-pairing)\//.test(id);

/** A request on the phone, or its pairing. */
const isOfPhone = ({ id }: FlowSummary) => /^(signer\/.+|phone-pairing)\//.test(id);

/** The newest flow that tells a story by itself. */
export function firstOf(flows: FlowSummary[]): string {
  return (flows.find(isStory) ?? flows.find(isOfPhone) ?? flows[0])?.id ?? '';
}

/** The last run of each machine. */
export function latestOf(views: MachineView[]): MachineView[] {
  const byMachine = new Map<string, MachineView>();
  for (const view of views) {
    const other = byMachine.get(view.machine);
    if (other === undefined || view.status !== 'notBegun') byMachine.set(view.machine, view);
  }
  return [...byMachine.values()];
}

/** Where an event is, in the log of its device. */
export const placeOf = ({ stream, version }: { stream: string; version: number }) =>
  `${stream}@${version}`;
