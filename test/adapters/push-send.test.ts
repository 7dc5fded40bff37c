import { createPublicKey, verify } from 'node:crypto';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendPush, type PushMessage } from '../../adapters/push/send.ts';
import { createVapidKeys } from '../../adapters/push/vapid.ts';
import { createPushBrowser } from '../support/push-browser.ts';

const endpoint = 'https://web.push.apple.com/QOpaqueAddressOfOneBrowser';
const browser = createPushBrowser(endpoint);
const vapid = createVapidKeys();
const id = 'Zm9ydHktdHdvLWJ5dGVz_A';
const server = setupServer();

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

/** Whatever arrives at the service, which answers each time with what `answer` makes. */
function serviceAnswers(answer: () => Response): Request[] {
  const requests: Request[] = [];
  server.use(
    http.all('*', ({ request }) => {
      requests.push(request.clone());
      return answer();
    }),
  );
  return requests;
}

const send = (changes: Partial<PushMessage> = {}) =>
  sendPush({ subscription: browser.subscription, vapid, payload: id, ttl: 60, ...changes });

const bytesOf = async (request: Request | undefined) =>
  new Uint8Array((await request?.arrayBuffer()) ?? []);

const decoded = (text: string) => Buffer.from(text, 'base64url');
const jsonIn = (part: string) => JSON.parse(decoded(part).toString()) as unknown;

/** The JSON in each of a JWT's first two parts, after its signature was checked. */
function readJwt(authorization: string | null) {
  const [, token = '', key = ''] =
    /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization ?? '') ?? [];
  const [header = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  const publicKey = createPublicKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') },
  });
  const holds = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  return { holds, key, header: jsonIn(header), claims: jsonIn(claims) as Record<string, unknown> };
}

describe('a message to a browser', () => {
  it('is one request: urgent, soon stale, signed for this service, by nobody’s name', async () => {
    const requests = serviceAnswers(() => new HttpResponse(null, { status: 201 }));
    expect(await send()).toBe('sent');
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect({ method: request?.method, url: request?.url }).toEqual({
      method: 'POST',
      url: endpoint,
    });
    const { authorization = null, ...headers } = Object.fromEntries(request?.headers ?? []);
    expect(headers).toMatchObject({
      ttl: '60',
      urgency: 'high',
      'content-encoding': 'aes128gcm',
      'content-type': 'application/octet-stream',
    });

    const { holds, key, header, claims } = readJwt(authorization);
    expect(holds).toBe(true);
    expect(key).toBe(vapid.publicKey);
    expect(header).toEqual({ typ: 'JWT', alg: 'ES256' });
    const { exp, ...named } = claims;
    expect(named).toEqual({ aud: 'https://web.push.apple.com', sub: 'mailto:noreply@example.com' });
    expect(Number(exp) - Date.now() / 1000).toBeLessThanOrEqual(24 * 3600);
    expect(Number(exp) - Date.now() / 1000).toBeGreaterThan(60);
  });

  it('has the payload in it, for this browser alone, each time under another key', async () => {
    const requests = serviceAnswers(() => new HttpResponse(null, { status: 201 }));
    await send();
    await send();
    const [first, second] = await Promise.all(requests.map(bytesOf));
    expect(browser.read(first ?? new Uint8Array())).toBe(id);
    expect(browser.read(second ?? new Uint8Array())).toBe(id);
    expect(first).not.toEqual(second);
    expect(Buffer.from(first ?? []).includes(id)).toBe(false);
    const other = createPushBrowser(endpoint);
    expect(() => other.read(first ?? new Uint8Array())).toThrow();
  });

  it('is read by the test as RFC 8291 has it in section 5', () => {
    const { read, subscription } = createPushBrowser(endpoint, {
      privateKey: decoded('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94'),
      auth: decoded('BTBZMqHH6r4Tts7J_aSIgg'),
    });
    expect(subscription.keys.p256dh).toBe(
      'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    );
    const body =
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';
    expect(read(decoded(body))).toBe('When I grow up, I want to be a watermelon');
  });
});

describe('what the service answers', () => {
  it.each([200, 201, 202, 204])('%i is sent', async (status) => {
    serviceAnswers(() => new HttpResponse(null, { status }));
    expect(await send()).toBe('sent');
  });

  it.each([404, 410])('%i is gone', async (status) => {
    serviceAnswers(() => new HttpResponse('unsubscribed', { status }));
    expect(await send()).toBe('gone');
  });

  it.each([400, 401, 403, 413, 429, 500, 503])(
    '%i is told, and not tried again',
    async (status) => {
      const requests = serviceAnswers(
        () => new HttpResponse(`no ${endpoint}`, { status, headers: { 'retry-after': '1' } }),
      );
      expect(await send()).toEqual({ failed: `HTTP ${status}` });
      expect(requests).toHaveLength(1);
    },
  );

  it('is told with Apple’s reason, when it is one word', async () => {
    const reason = { reason: 'BadJwtToken' };
    serviceAnswers(() => HttpResponse.json(reason, { status: 403 }));
    expect(await send()).toEqual({ failed: 'HTTP 403 BadJwtToken' });
    reason.reason = '\u001b[2J';
    expect(await send()).toEqual({ failed: 'HTTP 403' });
  });

  it('is not read to its end when it has none', async () => {
    let isCancelled = false;
    serviceAnswers(() => {
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(600).fill(0x20)),
        cancel: () => void (isCancelled = true),
      });
      return new HttpResponse(body, { status: 500 });
    });
    expect(await send({ timeout: 5_000 })).toEqual({ failed: 'HTTP 500' });
    await expect.poll(() => isCancelled).toBe(true);
  });

  it.each([301, 302, 307, 308])('%i leads nowhere', async (status) => {
    const requests = serviceAnswers(
      () => new HttpResponse(null, { status, headers: { location: 'https://192.168.1.1/' } }),
    );
    expect(await send()).toEqual({ failed: `HTTP ${status}` });
    expect(requests.map(({ url }) => url)).toEqual([endpoint]);
  });
});

describe('a service that does not answer', () => {
  it('because there is no network', async () => {
    serviceAnswers(() => HttpResponse.error());
    expect(await send()).toEqual({ failed: 'no connection' });
  });

  it('because its name is not known: by its code, without the address', async () => {
    const cause = Object.assign(new Error(`no ${endpoint}`), { code: 'ENOTFOUND' });
    const fetch = () => Promise.reject(new TypeError(`fetch of ${endpoint} failed`, { cause }));
    expect(await send({ fetch })).toEqual({ failed: 'no connection: ENOTFOUND' });
  });

  it('in time', async () => {
    server.use(http.post(endpoint, () => new Promise<never>(() => {})));
    expect(await send({ timeout: 50 })).toEqual({ failed: 'no answer in time' });
  });

  it('until it is given up', async () => {
    server.use(http.post(endpoint, () => new Promise<never>(() => {})));
    const ending = new AbortController();
    const sending = send({ signal: ending.signal });
    ending.abort();
    expect(await sending).toEqual({ failed: 'given up' });
  });
});

it('goes to no other host, whoever asks for it', async () => {
  const requests = serviceAnswers(() => new HttpResponse(null, { status: 201 }));
  const { keys } = browser.subscription;
  for (const foreign of ['https://example.org/push', 'http://web.push.apple.com/x']) {
    expect(await send({ subscription: { endpoint: foreign, keys } })).toEqual({
      failed: 'no known push service',
    });
  }
  expect(requests).toEqual([]);
});

it('with a key that is none is told, and the process lives', async () => {
  const requests = serviceAnswers(() => new HttpResponse(null, { status: 201 }));
  const keys = {
    p256dh: Buffer.alloc(65, 4).toString('base64url'),
    auth: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  expect(await send({ subscription: { endpoint, keys } })).toMatchObject({
    failed: expect.any(String) as string,
  });
  expect(requests).toEqual([]);
});
