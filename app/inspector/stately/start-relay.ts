/** Starts the relay between the event logs of this machine and Stately's hosted inspector. */
import type { AnyStateMachine } from 'xstate';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { watchLog } from '../../watch-log.ts';
import type { Device } from '../protocol.ts';
import { writeRedirectFile, type RedirectFile } from '../redirect-file.ts';
import { createSingleUseToken } from '../single-use-token.ts';
import { followLog } from './followed-log.ts';
import { createRecordedActors } from './recorded-actors.ts';
import { startRelayServer } from './relay-server.ts';

/** How long the printed address lets somebody in. Milliseconds. */
const ENTRY_LIFETIME = 2 * 60_000;

export interface StatelySource {
  device: Device;
  /** Read only, also by the relay. */
  log: EventLog;
  /** By the prefix of their streams. */
  machines: ReadonlyMap<string, AnyStateMachine>;
}

export interface StatelyRelayOptions {
  /** One for each device. */
  sources: readonly StatelySource[];
  /** The state directory, in which the redirect file is for a moment. */
  home: string;
  /** A stream, or on the phone a request's flow; without it the newest of each device. */
  flow?: string | null;
}

export interface StatelyRelay {
  /** `file://…`: lets one browser in, once, for two minutes. */
  readonly address: string;
  /** The same without the file, for browsers that may not read it; once, whichever is first. */
  readonly directAddress: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `http://127.0.0.1:PORT/SECRET`: everything is below it. */
  readonly pages: string;
  close(): Promise<void>;
}

/**
 * Listens on a free port of 127.0.0.1. The logs are read only while a page asks for it, each time
 * from the beginning of the flow.
 *
 * @throws {Trouble} `stateUnusable`
 */
export async function startStatelyRelay(options: StatelyRelayOptions): Promise<StatelyRelay> {
  const token = createSingleUseToken(ENTRY_LIFETIME);
  let file: RedirectFile | null = null;
  const server = await startRelayServer({
    token,
    onEntered: () => file?.remove(),
    stream: (send) => streamActors(options, send),
  });
  const directAddress = `${server.origin}/enter?token=${token.text}`;
  file = writeRedirectFile(options.home, directAddress);
  const { address, remove } = file;
  const tooOld = setTimeout(remove, ENTRY_LIFETIME).unref();
  // However the program ends, its file goes.
  process.once('exit', remove);
  return {
    address,
    directAddress,
    origin: server.origin,
    pages: server.pages,
    async close() {
      clearTimeout(tooOld);
      process.off('exit', remove);
      remove();
      await server.close();
    },
  };
}

function streamActors(
  { sources, flow = null }: StatelyRelayOptions,
  send: (message: object) => void,
): () => void {
  const machinesOf = (device: Device) =>
    sources.find((source) => source.device === device)?.machines ?? new Map();
  const machines = { headset: machinesOf('headset'), phone: machinesOf('phone') };
  const actors = createRecordedActors(machines, send);
  const stops = sources.map(({ device, log, machines: own }) => {
    const followed = followLog(log, (machine) => own.has(machine), flow, {
      take: (envelope) => actors.take(device, envelope),
      takeSilently: (envelope) => actors.takeSilently(device, envelope),
    });
    return watchLog(log, followed.catchUp);
  });
  actors.announce();
  return () => {
    for (const stop of stops) stop();
  };
}
