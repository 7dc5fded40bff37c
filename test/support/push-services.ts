/**
 * Loaded into a program by `--import`: every push service there is. They answer with the status in
 * `PUSH_STATUS`, or are not reached when it is 0, and note in the file `PUSH_FILE` what came: JSON,
 * a request a line. Nothing leaves.
 */
import { appendFileSync } from 'node:fs';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';

export interface PushedRequest {
  url: string;
  headers: Record<string, string>;
  /** base64 */
  body: string;
}

const { PUSH_STATUS: status = '201', PUSH_FILE: file = '' } = process.env;

setupServer(
  http.all('*', async ({ request }) => {
    const { url, headers } = request;
    const body = Buffer.from(await request.arrayBuffer()).toString('base64');
    const pushed: PushedRequest = { url, headers: Object.fromEntries(headers), body };
    appendFileSync(file, `${JSON.stringify(pushed)}\n`);
    if (status === '0') return HttpResponse.error();
    return new HttpResponse(null, { status: Number(status) });
  }),
).listen({ onUnhandledFrame: 'error' });
