import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { Refusal } from './refusal.ts';

/** Bytes of a body that are read. */
const largest = 64 * 1024;

/** The JSON body of a request, as `schema` takes it. @throws {Refusal} 400, 413, 415 */
export async function bodyOf<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  if (request.headers['content-type'] !== 'application/json')
    throw new Refusal(415, 'a body is application/json');
  const text = await textOf(request);
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) throw new Refusal(400, 'the body is not what this address takes');
  return parsed.data;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new Refusal(413, 'the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}
