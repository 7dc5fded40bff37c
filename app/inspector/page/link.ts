/** The page's address names flow and event: `#flow=ID&event=12`, counted from 1. */

export interface Link {
  flow: string;
  /** Index; null: the last event. */
  event: number | null;
}

export function readLink(): Link | null {
  const query = new URLSearchParams(location.hash.slice(1));
  const flow = query.get('flow');
  if (flow === null || flow === '') return null;
  const event = Number(query.get('event'));
  return { flow, event: Number.isInteger(event) && event > 0 ? event - 1 : null };
}

export function writeLink(flow: string, index: number): void {
  const query = new URLSearchParams({ flow, event: String(index + 1) });
  history.replaceState(null, '', `#${query.toString()}`);
}
