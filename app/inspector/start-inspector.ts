/** Starts the inspector of one device, or of two that are joined. */
import type { DeviceSource } from './device-source.ts';
import type { DrivingPort } from './driving-port.ts';
import { writeRedirectFile, type RedirectFile } from './redirect-file.ts';
import { startServer } from './server.ts';
import { createSingleUseToken } from './single-use-token.ts';

/** How long a printed address lets somebody in. Milliseconds. */
const LIFETIME = 2 * 60_000;

export interface InspectorOptions {
  source: DeviceSource;
  /** The state directory, in which the redirect file is for a moment. */
  home: string;
  /** What the page's buttons do; without it there are none. */
  driving?: DrivingPort;
  /** Another device's inspector may read this one. */
  joinable?: boolean;
  /** The flow that the page opens first. */
  flow?: string | null;
}

export interface Inspector {
  /** `file://…`: lets one browser in, once, for two minutes. */
  readonly address: string;
  /** The same without the file, for browsers that may not read it; once, whichever is first. */
  readonly directAddress: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** `http://127.0.0.1:PORT/SECRET`: everything is below it. */
  readonly pages: string;
  /** `http://127.0.0.1:PORT/join#TOKEN` for `vmux inspect --phone`, once, for two minutes. */
  readonly joinAddress: string | null;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. @throws {Trouble} `stateUnusable` */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const { source, home, driving = null, joinable = false } = options;
  const token = createSingleUseToken(LIFETIME);
  const joinToken = joinable ? createSingleUseToken(LIFETIME) : null;
  let file: RedirectFile | null = null;
  const server = await startServer({
    source,
    driving,
    token,
    joinToken,
    start: options.flow == null ? '' : `#${new URLSearchParams({ flow: options.flow }).toString()}`,
    onEntered: () => file?.remove(),
  });
  const directAddress = `${server.origin}/enter?token=${token.text}`;
  file = writeRedirectFile(home, directAddress);
  const { address, remove } = file;
  const tooOld = setTimeout(remove, LIFETIME).unref();
  // The log is looked through while the browser starts.
  source.flows().catch(() => {});
  // However the program ends, its file goes.
  process.once('exit', remove);
  return {
    address,
    directAddress,
    origin: server.origin,
    pages: server.pages,
    joinAddress: joinToken === null ? null : `${server.origin}/join#${joinToken.text}`,
    async close() {
      clearTimeout(tooOld);
      process.off('exit', remove);
      remove();
      await server.close();
    },
  };
}
