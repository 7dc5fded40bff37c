import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog } from '../../adapters/event-log/store.ts';
import { prepareHome } from '../../app/home.ts';
import { removeBrowser } from '../../app/phone/web/browsers.ts';
import { addBrowser } from '../support/paired-browser.ts';
import { createPush } from '../../app/phone/web/push.ts';
import { createBench, type Device } from '../support/program-driver.ts';
import { createPushBrowser } from '../support/push-browser.ts';
import type { PushedRequest } from '../support/push-services.ts';

/** Each of their many commands is a process. */
const busyMachine = { timeout: 60_000 };

describe('signer push', busyMachine, () => {
  const bench = createBench();
  const iphone = createPushBrowser('https://web.push.apple.com/QOpaque');
  const laptop = createPushBrowser('https://updates.push.services.mozilla.com/wpush/v2/gAAA');
  let phone: Device;
  let ids: { iphone: string; laptop: string; tablet: string };

  beforeEach(() => {
    phone = bench.device('signer');
    prepareHome(phone.home);
    ids = withLog((log) => ({
      iphone: addBrowser(log, { name: 'iPhone', publicKey: 'A' }),
      laptop: addBrowser(log, { name: 'Lap\u001b[2Jtop', publicKey: 'B' }),
      tablet: addBrowser(log, { name: 'Tablet', publicKey: 'C' }),
    }));
    withLog((log) => {
      const push = createPush({ home: phone.home, log });
      push.turnOn(ids.iphone, iphone.subscription);
      push.turnOn(ids.laptop, laptop.subscription);
    });
  });
  afterAll(() => bench.clear());

  function withLog<Result>(work: (log: EventLog) => Result): Result {
    const log = openEventLog(join(phone.home, 'events.db'));
    try {
      return work(log);
    } finally {
      log.close();
    }
  }

  const pushed = (): PushedRequest[] =>
    readFileSync(join(phone.home, 'pushed'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as PushedRequest);

  /** With push services that answer so. */
  const runTest = (status: number) =>
    phone.run(['push', 'test'], {
      env: {
        NODE_OPTIONS: `--import=${resolve('test/support/push-services.ts')}`,
        PUSH_STATUS: String(status),
        PUSH_FILE: join(phone.home, 'pushed'),
      },
    });

  it('shows for which browsers it is on, and who sees what', async () => {
    const { status, stdout, stderr } = await phone.run(['push']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [first, second, third, ...rest] = stdout.split('\n');
    expect(first).toBe(`${'iPhone'.padEnd(24)}  ${ids.iphone}  on, through Apple`);
    expect(second).toContain(String.raw`Lap\u{001B}[2Jtop`);
    expect(second).toContain('on, through Mozilla');
    expect(third).toBe(`${'Tablet'.padEnd(24)}  ${ids.tablet}  off`);
    expect(rest.join(' ')).toContain('A message goes through the company that made the browser');

    const rows = JSON.parse((await phone.run(['push', 'status', '--json'])).stdout) as unknown;
    expect(rows).toMatchObject([
      { id: ids.iphone, name: 'iPhone', through: 'Apple', last: null },
      { id: ids.laptop, through: 'Mozilla', last: null },
      { id: ids.tablet, through: null, last: null },
    ]);
    expect(JSON.stringify(rows)).not.toContain('https://');
  });

  it('sends a random number to each, which only that browser reads', async () => {
    const { status, stdout, stderr } = await runTest(201);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('iPhone: Apple took it; the notification comes in a few seconds\n');
    expect(stdout).not.toContain('Tablet');
    const [toApple, toMozilla, ...others] = pushed();
    expect(others).toEqual([]);
    expect(toApple?.url).toBe(iphone.subscription.endpoint);
    expect(toMozilla?.url).toBe(laptop.subscription.endpoint);
    const read = iphone.read(Buffer.from(toApple?.body ?? '', 'base64'));
    expect(read).toMatch(/^[\w-]{22}$/);
    expect(laptop.read(Buffer.from(toMozilla?.body ?? '', 'base64'))).not.toBe(read);
    expect((await phone.run(['push'])).stdout).toMatch(/iPhone .*Z sent\n/);
  });

  it('tells of a service that does not take it, by exit status too', async () => {
    const refused = await runTest(403);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toContain('iPhone: Apple refused it (HTTP 403)');
    expect(refused.stdout).not.toContain('https://');
    expect((await phone.run(['push'])).stdout).toMatch(/iPhone .*Z not sent: HTTP 403\n/);
  });

  it('forgets browsers that their service no longer knows', async () => {
    const gone = await runTest(410);
    expect(gone.status).toBe(1);
    expect(gone.stdout).toContain('iPhone: Apple no longer knows this browser, so it is off now');
    expect(readdirSync(join(phone.home, 'web', 'push'))).toEqual([]);
    expect((await phone.run(['push'])).stdout).toMatch(
      /iPhone .*off .*ended by its push service\n/,
    );
    expect((await runTest(201)).stdout).toContain('it is on for no browser\n');
    expect(pushed()).toHaveLength(2);
  });

  it('tells of no network, and ends', async () => {
    const { status, stdout } = await runTest(0);
    expect(status).toBe(1);
    expect(stdout).toContain('iPhone: Apple was not reached (no connection)\n');
  });

  it('is off for all at once', async () => {
    const { stdout } = await phone.run(['push', 'off']);
    expect(stdout).toMatch(/^iPhone is no longer woken\nLap.* is no longer woken\n$/);
    expect(readdirSync(join(phone.home, 'web', 'push'))).toEqual([]);
    expect((await phone.run(['push', 'off'])).stdout).toMatch(/^it is on for no browser\n/);
  });

  it('is off for a browser that was unpaired', async () => {
    withLog((log) => removeBrowser(log, ids.iphone));
    expect((await phone.run(['push'])).stdout).not.toContain('iPhone');
    expect(readdirSync(join(phone.home, 'web', 'push'))).toEqual([`${ids.laptop}.json`]);
  });

  it('has usage, and refuses what it does not know', async () => {
    const help = await phone.run(['push', '--help']);
    expect(help.stdout).toContain('usage: signer push [status [--json] | test | off]');
    expect((await phone.run(['push', 'shout'])).status).toBe(2);
    expect((await phone.run(['push', 'test', 'me'])).status).toBe(2);
    const fresh = bench.device('signer');
    expect((await fresh.run(['push'])).stdout).toContain('no browser is paired yet\n');
  });
});
