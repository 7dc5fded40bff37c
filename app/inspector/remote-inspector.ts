/** Questions to another inspector on 127.0.0.1: one origin, no redirects, every answer checked. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { WrongUsage } from '../trouble.ts';
import { Refusal } from './refusal.ts';
import { joinAnswer } from './remote-schemas.ts';

/** Bytes of an answer that are read. */
const largest = 32 * 1024 * 1024;
/** Milliseconds without a sign of life. */
const patience = 3_000;

export interface JoinAddress {
  port: number;
  token: string;
}

export interface RemoteInspector {
  /** @throws {Refusal} 502 when it does not answer as it should, or its own */
  ask<T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T>;
  /** Its live events: `seen` after each, `ended` when there will be none any more. */
  listen(seen: () => void, ended: () => void): () => void;
}

/** As `signer inspect` prints it. @throws {WrongUsage} */
export function parseJoinAddress(typed: string): JoinAddress {
  const [, port, token] =
    /^http:\/\/127\.0\.0\.1:(\d{1,5})\/join#([\w-]{43})$/.exec(typed.trim()) ?? [];
  if (port === undefined || token === undefined || Number(port) > 65_535)
    throw new WrongUsage('that is not an address which signer inspect prints');
  return { port: Number(port), token };
}

/** Shows the token, once. @throws {Refusal} */
export async function joinInspector({ port, token }: JoinAddress): Promise<RemoteInspector> {
  const origin = `http://127.0.0.1:${port}`;
  let [cookie, base] = ['', ''];

  function send(path: string, body: string | null): ClientRequest {
    const headers = {
      Origin: origin,
      ...(cookie !== '' && { Cookie: cookie }),
      ...(body !== null && { 'Content-Type': 'application/json' }),
    };
    const method = body === null ? 'GET' : 'POST';
    const where = { host: '127.0.0.1', port, path: base + path };
    const asking = request({ ...where, method, headers, agent: false });
    asking.end(body ?? undefined);
    return asking;
  }

  async function answerTo<T>(path: string, schema: z.ZodType<T>, body: string | null) {
    const asking = send(path, body);
    asking.setTimeout(patience, () => asking.destroy(new Error('it does not answer')));
    const response = await responseTo(asking);
    const text = await textOf(response);
    if (response.statusCode !== 200) throw refusalOf(response.statusCode ?? 0);
    const parsed = schema.safeParse(jsonOf(text));
    if (!parsed.success) throw new Refusal(502, 'the other inspector answered in another language');
    return { data: parsed.data, response };
  }

  const { data, response } = await answerTo('/join', joinAnswer, JSON.stringify({ token }));
  const given = response.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  if (!new RegExp(`^inspector-${port}=[\\w-]{43}$`).test(given)) throw away();
  [cookie, base] = [given, data.base];

  return {
    async ask(path, schema, body) {
      const text = body === undefined ? null : JSON.stringify(body);
      return (await answerTo(path, schema, text)).data;
    },
    listen(seen, ended) {
      const asking = send('/api/live', null);
      asking.on('response', (live) => {
        if (live.statusCode !== 200) return void asking.destroy();
        live.on('data', (chunk: Buffer) => {
          if (chunk.includes('data:')) seen();
        });
        live.on('close', ended);
        live.on('error', () => {});
      });
      asking.on('error', ended);
      return () => void asking.destroy();
    },
  };
}

export const away = () => new Refusal(502, 'the other inspector does not answer');

function responseTo(asking: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asking.once('response', resolve);
    asking.on('error', () => reject(away()));
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largest) throw away();
      chunks.push(chunk);
    }
  } catch {
    throw away();
  }
  return Buffer.concat(chunks).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What it refused to this inspector, it refuses to the person: in this one's words. */
function refusalOf(status: number): Refusal {
  if (status === 404) return new Refusal(404, 'the phone has no such record');
  if (status === 422) return new Refusal(422, 'the chart cannot take an event of that shape');
  if (status === 413) return new Refusal(413, 'that is more than the phone’s inspector answers');
  if (status === 503) return new Refusal(503, 'the phone’s log cannot be read now');
  if (status === 400) return new Refusal(400, 'the phone’s inspector takes no such question');
  if (status === 403) return new Refusal(403, 'the other inspector does not let this one in');
  return away();
}
