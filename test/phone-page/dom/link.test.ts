/** The page's link over a socket that does what a test says; the signer's own is in `test/adapters`. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  BEAT_PERIOD,
  closeCodes,
  PAGE_PROTOCOL,
  type SignerMessage,
} from '../../../adapters/phone-page/protocol.ts';
import { makeDeviceKey } from '../../../app/phone/page/core/device-key.ts';
import { openLink } from '../../../app/phone/page/core/link.ts';

const ORIGIN = 'https://signer-k4xq.local:47823';
const device = { ...(await makeDeviceKey()), browserId: 'this' };

class FakeSocket extends EventTarget {
  static readonly all: FakeSocket[] = [];
  readonly url: string;
  isClosed = false;
  readonly sent: string[] = [];
  constructor(url: string) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  /** From the signer. */
  tell(message: SignerMessage): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
  greet(protocol: number = PAGE_PROTOCOL): void {
    this.tell({ type: 'hello', nonce: 'nonce', protocol, release: '1.2.3' });
  }
  end(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}

/** What the link asks for to come in, by path; it is refused each time. */
const fetched: string[] = [];

function aLink() {
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const link = openLink({
    device,
    origin: ORIGIN,
    isIn: true,
    up: tell('up'),
    message: ({ type }) => void told.push(type),
    lost: tell('lost'),
    unpaired: tell('unpaired'),
    otherProtocol: tell('otherProtocol'),
  });
  return { link, told };
}

const sockets = () => FakeSocket.all.length;
const newest = () => FakeSocket.all.at(-1)!;
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  FakeSocket.all.length = 0;
  fetched.length = 0;
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', (path: string) => {
    fetched.push(path);
    return Promise.reject(new Error('unreachable'));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the link of the page', () => {
  test('opens its socket, and signs what it says', async () => {
    const { link, told } = aLink();
    await later(0);
    expect(newest().url).toBe('wss://signer-k4xq.local:47823/api/socket');
    link.send({ type: 'sheet.deny', ref: 'laptop/0' });
    newest().greet();
    link.send({ type: 'sheet.deny', ref: 'laptop/1' });
    vi.useRealTimers();
    await vi.waitFor(() => expect(newest().sent).toHaveLength(1));
    expect(JSON.parse(newest().sent[0]!)).toMatchObject({
      seq: 1,
      body: '{"type":"sheet.deny","ref":"laptop/1"}',
    });
    expect(told).toEqual(['up']);
    link.end();
  });

  test('replaces a socket on which nothing came for two beats and a half', async () => {
    const { link, told } = aLink();
    await later(0);
    newest().greet();
    await later(2 * BEAT_PERIOD);
    expect(sockets()).toBe(1);
    await later(BEAT_PERIOD / 2);
    expect(sockets()).toBe(2);
    expect(FakeSocket.all[0]!.isClosed).toBe(true);
    expect(told).toEqual(['up', 'lost']);
    // What the dead one brings after all is not heard.
    FakeSocket.all[0]!.tell({ type: 'sheet.close', ref: 'laptop/1', outcome: 'signed' });
    expect(told).toEqual(['up', 'lost']);
    newest().greet();
    expect(told).toEqual(['up', 'lost', 'up']);
    link.end();
  });

  test('keeps one that beats, and passes no beat on', async () => {
    const { link, told } = aLink();
    await later(0);
    newest().greet();
    for (let beat = 0; beat < 12; beat += 1) {
      await later(BEAT_PERIOD);
      newest().tell({ type: 'beat' });
    }
    expect(sockets()).toBe(1);
    expect(told).toEqual(['up']);
    link.end();
  });

  test('keeps one when the page was frozen, and the beats come a moment after it woke', async () => {
    const { link } = aLink();
    await later(0);
    newest().greet();
    // A browser makes one late call of it, however long the page was frozen.
    vi.setSystemTime(Date.now() + 600_000);
    await vi.advanceTimersToNextTimerAsync();
    newest().tell({ type: 'beat' });
    await later(2 * BEAT_PERIOD);
    expect(sockets()).toBe(1);
    link.end();
  });

  test('tries less and less often while what it says is refused, although it is greeted', async () => {
    const { link } = aLink();
    await later(0);
    const pauses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      newest().greet();
      newest().end(1001);
      const [before, from] = [sockets(), performance.now()];
      while (sockets() === before) await vi.advanceTimersToNextTimerAsync();
      pauses.push(performance.now() - from);
    }
    expect(pauses[0]).toBeLessThanOrEqual(300);
    expect(pauses[5]).toBeGreaterThan(2_000);
    link.end();
  });

  test('comes in anew after its session or a frame of it was refused', async () => {
    const { link } = aLink();
    await later(0);
    newest().greet();
    newest().end(closeCodes.breach);
    await later(1_000);
    expect(fetched[0]).toBe('/api/nonce');
    link.end();
  });

  test('is over when the browser was unpaired, and when the page ends it', async () => {
    const { told } = aLink();
    await later(0);
    newest().greet();
    newest().end(closeCodes.unpaired);
    await later(60_000);
    expect(told).toEqual(['up', 'unpaired']);
    expect(sockets()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    const { link } = aLink();
    await later(0);
    link.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('says nothing to a signer of another protocol, and tells of it last', async () => {
    const { link, told } = aLink();
    await later(0);
    newest().greet(PAGE_PROTOCOL + 1);
    expect(told).toEqual(['lost', 'otherProtocol']);
    expect(newest().sent).toEqual([]);
    link.end();
  });
});
