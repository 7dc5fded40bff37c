/** Asks an inspector as a browser does, or as one that should be turned away. */
import { readdirSync, readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import {
  startInspector,
  type Inspector,
  type InspectorOptions,
} from '../../app/inspector/start-inspector.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Asking {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Client {
  readonly inspector: Inspector;
  readonly home: string;
  readonly port: number;
  /** The token in the redirect file. */
  token(): string;
  /** `NAME=VALUE`, once it came in. */
  cookie(): string;
  /** Comes in as the person's browser; the cookie is sent from then on. */
  enter(): Promise<Reply>;
  ask(path: string, asking?: Asking): Promise<Reply>;
  json<T>(path: string, asking?: Asking): Promise<T>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** An inspector of this test, and its client; closed when the test has finished. */
export async function startedInspector(
  source: DeviceSource,
  options: Partial<InspectorOptions> = {},
): Promise<Client> {
  const home = temporaryDirectory();
  const inspector = await startInspector({ source, home, ...options });
  onTestFinished(() => inspector.close());
  return clientOf(inspector, home);
}

export function clientOf(inspector: Inspector, home: string): Client {
  const { port } = new URL(inspector.origin);
  let cookie: string | null = null;

  function ask(path: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Reply> {
    const own = cookie === null ? {} : { Cookie: cookie };
    return new Promise((resolve, reject) => {
      const asking = request(
        {
          host: '127.0.0.1',
          port,
          path: placeOf(path),
          method,
          headers: { ...own, ...headers },
          agent: false,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      asking.on('error', reject);
      asking.end(body);
    });
  }

  /** Below the path that nobody can guess, but for what lets somebody in. */
  const placeOf = (path: string) =>
    /^\/(enter|join)\b/.test(path) ? path : `${new URL(inspector.pages).pathname}${path}`;

  const token = () => {
    const page = readFileSync(fileURLToPath(inspector.address), 'utf8');
    return /token=([\w-]+)/.exec(page)?.[1] ?? '';
  };

  return {
    inspector,
    home,
    port: Number(port),
    ask,
    token,
    cookie: () => cookie ?? '',
    async enter() {
      const reply = await ask(`/enter?token=${token()}`);
      cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? null;
      return reply;
    },
    async json(path, asking) {
      const { status, text } = await ask(path, asking);
      if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
      return JSON.parse(text);
    },
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Origin: inspector.origin, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

/** Redirect files that lie in a state directory. */
export const redirectFilesIn = (home: string) =>
  readdirSync(home)
    .filter((name) => name.endsWith('.html'))
    .map((name) => join(home, name));
