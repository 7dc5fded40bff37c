import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEventLog, type EventLog } from '../../adapters/event-log/store.ts';
import type { PushMessage, PushOutcome } from '../../adapters/push/send.ts';
import { WrongUsage } from '../../app/trouble.ts';
import { removeBrowser } from '../../app/phone/web/browsers.ts';
import { addBrowser } from '../support/paired-browser.ts';
import { createPush, type Push } from '../../app/phone/web/push.ts';
import { createPushBrowser } from '../support/push-browser.ts';

const endpoint = 'https://web.push.apple.com/QOpaque';
const { subscription } = createPushBrowser(endpoint);
const other = createPushBrowser('https://fcm.googleapis.com/fcm/send/other').subscription;

let home: string;
let log: EventLog;
let sent: PushMessage[];
let answer: (message: PushMessage) => PushOutcome | Promise<PushOutcome>;
let push: Push;
let phone: string;
let tablet: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vmux-push-'));
  log = openEventLog(join(home, 'events.db'));
  sent = [];
  answer = () => 'sent';
  push = createPush({ home, log, send });
  phone = addBrowser(log, { name: 'iPhone', publicKey: 'A' });
  tablet = addBrowser(log, { name: 'Tablet', publicKey: 'B' });
});
afterEach(() => {
  vi.restoreAllMocks();
  log.close();
  rmSync(home, { recursive: true });
});

async function send(message: PushMessage): Promise<PushOutcome> {
  sent.push(message);
  return answer(message);
}

const endpoints = () => sent.map((message) => message.subscription.endpoint);
const notesOf = (browserId: string) =>
  [...log.read(`push/${browserId}`)].map(({ type, data }) => [type, data]);
const files = () => readdirSync(join(home, 'web', 'push'));

/** Milliseconds pass on the process's monotonic clock. */
function passes(time: number): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + time);
}

describe('waking', () => {
  it('is off until a browser turns it on', async () => {
    expect(push.isOn(phone)).toBe(false);
    await push.wake('headset/1');
    expect(sent).toEqual([]);
    expect(notesOf(phone)).toEqual([]);
  });

  it('sends a random number, each time another, that is dropped after a minute', async () => {
    push.turnOn(phone, subscription);
    await push.wake('headset/1');
    passes(5_001);
    await push.wake('headset/2');
    expect(endpoints()).toEqual([endpoint, endpoint]);
    const payloads = sent.map(({ payload }) => payload);
    for (const payload of payloads) expect(payload).toMatch(/^[\w-]{22}$/);
    expect(payloads[0]).not.toBe(payloads[1]);
    expect(sent[0]).toMatchObject({
      ttl: 60,
      subscription,
      vapid: { publicKey: push.publicKey() },
    });
  });

  it('is once for a request, and once in five seconds for a browser', async () => {
    push.turnOn(phone, subscription);
    await Promise.all([push.wake('headset/1'), push.wake('headset/1'), push.wake('headset/2')]);
    expect(sent).toHaveLength(1);
    passes(4_000);
    await push.wake('headset/3');
    expect(sent).toHaveLength(1);
    passes(2_000);
    await push.wake('headset/1');
    expect(sent).toHaveLength(1);
    await push.wake('headset/4');
    expect(sent).toHaveLength(2);
  });

  it('goes to every browser that has it on, and no other', async () => {
    push.turnOn(phone, subscription);
    push.turnOn(tablet, other);
    addBrowser(log, { name: 'Laptop', publicKey: 'C' });
    await push.wake('headset/1');
    expect(endpoints().toSorted()).toEqual([other.endpoint, endpoint]);
    push.turnOff(tablet);
    passes(6_000);
    await push.wake('headset/2');
    expect(endpoints().slice(2)).toEqual([endpoint]);
  });

  it('never rejects, whatever becomes of the message, the log or the files', async () => {
    push.turnOn(phone, subscription);
    push.turnOn(tablet, other);
    answer = ({ subscription: { endpoint: to } }) =>
      to === endpoint ? { failed: 'HTTP 500' } : Promise.reject(new Error('a bug'));
    await push.wake('headset/1');
    expect(notesOf(phone).at(-1)).toEqual([
      'push.failed',
      { browserId: phone, detail: 'HTTP 500' },
    ]);
    writeFileSync(join(home, 'web', 'push.json'), 'damaged');
    passes(6_000);
    await push.wake('headset/2');
    expect(sent).toHaveLength(2);
    expect(push.publicKey()).toBeNull();
    log.close();
    await push.wake('headset/3');
    log = openEventLog(join(home, 'events.db'));
  });

  it('is given up when the signer ends', async () => {
    push.turnOn(phone, subscription);
    const { promise, resolve } = Promise.withResolvers<PushOutcome>();
    answer = ({ signal }) => {
      signal?.addEventListener('abort', () => resolve({ failed: 'given up' }));
      return promise;
    };
    const waking = push.wake('headset/1');
    push.close();
    await waking;
    expect(notesOf(phone).map(([type]) => type)).toEqual(['push.turnedOn']);
  });
});

describe('a subscription', () => {
  it('is kept with the keys in private files, and nothing of it in the log', () => {
    push.turnOn(phone, subscription);
    push.turnOn(phone, subscription);
    push.publicKey();
    for (const path of ['web/push.json', `web/push/${phone}.json`]) {
      expect(statSync(join(home, path)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(home, 'web', 'push')).mode & 0o777).toBe(0o700);
    expect(files()).toEqual([`${phone}.json`]);
    expect(notesOf(phone)).toEqual([
      ['push.turnedOn', { browserId: phone }],
      ['push.turnedOn', { browserId: phone }],
    ]);
    const told = JSON.stringify([...log.readAll()]);
    for (const secret of [endpoint, ...Object.values(subscription.keys)]) {
      expect(told).not.toContain(secret);
    }
  });

  it('and the keys are the same for the next process', () => {
    push.turnOn(phone, subscription);
    const next = createPush({ home, log, send });
    expect(next.isOn(phone)).toBe(true);
    expect(next.isOn(tablet)).toBe(false);
    expect(next.companyFor(phone)).toBe('Apple');
    expect(next.publicKey()).toBe(push.publicKey());
  });

  it('of another host, or for a browser that is not paired, is refused', () => {
    const foreign = { ...subscription, endpoint: 'https://192.168.1.1/x' };
    expect(() => push.turnOn(phone, foreign)).toThrow(/push service is none/);
    expect(() => push.turnOn('nobody', subscription)).toThrow(/not paired/);
    expect(() => push.turnOn('../../device', subscription)).toThrow(/not paired/);
    expect([push.isOn(phone), push.isOn('nobody')]).toEqual([false, false]);
  });

  it('that was changed on disk to another host is not used', async () => {
    push.turnOn(phone, subscription);
    const foreign = { ...subscription, endpoint: 'https://192.168.1.1/x' };
    writeFileSync(join(home, 'web', 'push', `${phone}.json`), JSON.stringify(foreign));
    expect(push.isOn(phone)).toBe(false);
    await push.wake('headset/1');
    expect(sent).toEqual([]);
  });

  it('is dropped when its service says that it is gone', async () => {
    push.turnOn(phone, subscription);
    answer = () => 'gone';
    await push.wake('headset/1');
    expect(push.isOn(phone)).toBe(false);
    expect(files()).toEqual([]);
    expect(notesOf(phone).at(-1)).toEqual(['push.turnedOff', { browserId: phone, why: 'gone' }]);
  });

  it('stays when an older one of the same browser is gone', async () => {
    push.turnOn(phone, subscription);
    answer = () => {
      push.turnOn(phone, other);
      return 'gone';
    };
    await push.wake('headset/1');
    expect(push.companyFor(phone)).toBe('Google');
  });

  it('goes with the pairing, and is not sent to in between', async () => {
    push.turnOn(phone, subscription);
    removeBrowser(log, phone);
    await expect(push.test(phone)).rejects.toThrow('waking is off');
    expect(files()).toEqual([`${phone}.json`]);
    await push.wake('headset/1');
    expect(sent).toEqual([]);
    expect(files()).toEqual([]);
    expect(notesOf(phone).at(-1)).toEqual([
      'push.turnedOff',
      { browserId: phone, why: 'unpaired' },
    ]);
  });
});

describe('a test message', () => {
  it('says what came back', async () => {
    push.turnOn(phone, subscription);
    expect(await push.test(phone)).toBe('sent');
    const sentences = {
      'no connection: ENOTFOUND': 'Apple was not reached (no connection: ENOTFOUND)',
      'HTTP 429': 'Apple wants fewer messages for a while (HTTP 429)',
      'HTTP 503': 'Apple could not take it just now (HTTP 503)',
      'HTTP 403 BadJwtToken':
        'Apple refused it (HTTP 403 BadJwtToken); turn it off and on again in the page',
    };
    for (const [failed, sentence] of Object.entries(sentences)) {
      answer = () => ({ failed });
      await expect(push.test(phone)).rejects.toThrow(new WrongUsage(sentence));
    }
    answer = () => 'gone';
    await expect(push.test(phone)).rejects.toThrow('Apple no longer knows this browser');
    await expect(push.test(phone)).rejects.toThrow('waking is off');
  });
});
