/** Where the page has its data from: the inspector's server, or the file that it is part of. */
import type {
  DriveCommand,
  Exported,
  Flow,
  FlowSummary,
  LiveMessage,
  MachineView,
  Opening,
  Place,
  Tried,
  WhatIf,
} from '../protocol.ts';
import { keyOf } from './moments.ts';

export interface Source {
  /** An exported file: nothing is live in it, and nothing can be tried or driven. */
  readonly isFile: boolean;
  /** When the file was written, milliseconds since 1970; null with a server. */
  readonly exportedAt: number | null;
  opening(): Promise<Opening>;
  flow(id: string): Promise<Flow>;
  /** Flows that began before that moment (milliseconds since 1970), at most {@link MOST_FLOWS}. */
  olderThan(moment: number): Promise<FlowSummary[]>;
  /** The flow as one file. */
  file(id: string): Promise<string>;
  views(places: Place[]): Promise<MachineView[]>;
  whatIf(place: Place): Promise<WhatIf>;
  tryEvents(at: Place, events: Record<string, unknown>[]): Promise<Tried>;
  drive(command: DriveCommand): Promise<void>;
  /** `lost` is called when the server does not answer any more. Returns what ends it. */
  live(flow: string | null, take: (message: LiveMessage) => void, lost: () => void): () => void;
}

/** As many as the server lists in one answer. */
export const MOST_FLOWS = 200;

/** What went wrong, as a sentence for the person. */
export class Said extends Error {
  override readonly name = 'Said';
}

export function openSource(): Source {
  const exported = document.getElementById('exported');
  if (exported === null) return serverSource();
  return fileSource(JSON.parse(exported.textContent ?? '') as Exported);
}

function serverSource(): Source {
  const views = new Map<string, MachineView>();
  return {
    isFile: false,
    exportedAt: null,
    opening: () => ask('api/opening'),
    flow: (id) => ask(`api/flow?id=${encodeURIComponent(id)}`),
    olderThan: (moment) => ask(`api/flows?before=${moment}`),
    file: async (id) => (await answerTo(`api/export?flow=${encodeURIComponent(id)}`)).text(),
    async views(places) {
      const wanted = places.filter((place) => !views.has(keyOf(place)));
      if (wanted.length > 0) {
        const found: MachineView[] = await ask(`api/views?${params(wanted)}`);
        wanted.forEach((place, i) => {
          const view = found[i];
          if (view !== undefined) views.set(keyOf(place), view);
        });
      }
      if (views.size > KEPT)
        for (const key of [...views.keys()].slice(0, KEPT / 2)) views.delete(key);
      return places.flatMap((place) => views.get(keyOf(place)) ?? []);
    },
    whatIf: (place) => ask(`api/what-if?${params([place])}`),
    tryEvents: (at, events) => post('api/what-if', { at, events }),
    drive: (command) => post('api/drive', command),
    live(flow, take, lost) {
      const events = new EventSource(
        flow === null ? 'api/live' : `api/live?flow=${encodeURIComponent(flow)}`,
      );
      events.addEventListener('message', ({ data }) => take(JSON.parse(data) as LiveMessage));
      events.addEventListener('error', lost);
      return () => events.close();
    },
  };
}

const params = (places: Place[]) =>
  new URLSearchParams(places.map((place) => ['at', keyOf(place)])).toString();

const post = <T>(path: string, body: unknown): Promise<T> =>
  ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Frames that are kept for stepping back. */
const KEPT = 1_000;

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  return (await answerTo(path, options)).json() as Promise<T>;
}

async function answerTo(path: string, options: RequestInit = {}): Promise<Response> {
  const answer = await fetch(path, options).catch(() => {
    throw new Said('The inspector in the terminal has ended. Start it again to go on.');
  });
  if (answer.ok) return answer;
  const { error } = (await answer.json()) as { error?: string };
  throw new Said(`${error ?? answer.statusText}.`);
}

const refuse = () => Promise.reject(new Said('This is a file: nothing can be done from it.'));

const keyInFile = ({ stream, version }: Place) => `${stream}@${version}`;

function fileSource({ opening, flow, views, whatIfs, exportedAt }: Exported): Source {
  const nothing: WhatIf = { accepts: [], ignores: [] };
  return {
    isFile: true,
    exportedAt,
    opening: async () => opening,
    flow: async () => flow,
    olderThan: async () => [],
    file: refuse,
    views: async (places) => places.flatMap((place) => views[keyInFile(place)] ?? []),
    whatIf: async (place) => whatIfs[keyInFile(place)] ?? nothing,
    tryEvents: refuse,
    drive: refuse,
    live: () => () => {},
  };
}
