import fc from 'fast-check';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import { clockOffset } from '../../app/inspector/clock-offset.ts';
import { joinSources } from '../../app/inspector/joined-source.ts';
import { mergedRows } from '../../app/inspector/merged-rows.ts';
import type { EventRow, LiveMessage } from '../../app/inspector/protocol.ts';
import { joinInspector, parseJoinAddress } from '../../app/inspector/remote-inspector.ts';
import { createRemoteSource } from '../../app/inspector/remote-source.ts';
import { startServer } from '../../app/inspector/server.ts';
import { createSingleUseToken } from '../../app/inspector/single-use-token.ts';
import { startedInspector } from './inspector-client.ts';
import { stopTime, wait } from './recorded-devices.ts';
import { CONNECTION, IDS, LINK, recordLogin, REQUEST, SIGNER } from './recorded-login.ts';

/** The same rows, at these distances from each other. */
function spaced(rows: EventRow[], between: number[], from: number): EventRow[] {
  let at = from;
  return rows.map((row, index) => {
    at += between[index] ?? 0;
    return { ...row, at };
  });
}

const noCharts = () => Promise.resolve([]);

/** The phone's inspector, whose clock is `skew` milliseconds ahead, and the way to it. */
async function phoneInspector(source: DeviceSource, skew = 0) {
  const token = createSingleUseToken(60_000);
  const server = await startServer({
    source,
    driving: null,
    token: createSingleUseToken(60_000),
    joinToken: token,
    start: '/',
    onEntered: () => {},
    now: () => Date.now() + skew,
  });
  onTestFinished(() => server.close());
  return { address: `${server.origin}/join#${token.text}`, ...server };
}

const joined = async (address: string) =>
  createRemoteSource(await joinInspector(parseJoinAddress(address)), noCharts);

const typesOf = (rows: EventRow[]) => rows.map(({ type }) => type);

describe('two inspectors', () => {
  it.each([0, 3_600_000, -45_678])(
    'join a login by its request id and the clocks’ difference, %d ms',
    async (skew) => {
      stopTime();
      const { headset, phone, truth } = await recordLogin(skew);
      const { address } = await phoneInspector(phone.source, skew);
      const both = joinSources(headset.source, await joined(address));
      const { rows, before, summary } = await both.flow(CONNECTION);
      expect(typesOf(rows).slice(-truth.length - 1, -1)).toEqual(truth);
      expect(rows.filter(({ device }) => device === 'phone')).toHaveLength(7);
      const times = rows.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(before).toEqual([
        { device: 'headset', stream: CONNECTION, version: 0 },
        { device: 'headset', stream: LINK, version: 2 },
        { device: 'phone', stream: SIGNER, version: 3 },
      ]);
      expect(summary.live).toBe(false);
      const received = rows.find(({ type }) => type === 'request.received');
      const sent = rows.find(({ type }) => type === 'ssh.identityAccepted');
      expect((received?.at ?? 0) - (sent?.at ?? 0)).toBe(10);
    },
  );

  it('show the headset’s frames when the phone’s inspector has gone, and say so', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    const { address, close } = await phoneInspector(phone.source);
    const both = joinSources(headset.source, await joined(address));
    await close();
    const views = await both.views([
      { device: 'phone', stream: SIGNER, version: 4 },
      { device: 'headset', stream: CONNECTION, version: 1 },
    ]);
    expect(views.map(({ device, value }) => [device, value])).toEqual([['headset', 'idle']]);
    expect(both.notices()).toEqual(['The phone’s inspector went away: its side is not shown.']);
  });

  it('ask for as many frames as a long flow has', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const { address } = await phoneInspector(phone.source);
    const remote = await joined(address);
    const places = Array.from({ length: 70 }, (_, i) => ({
      device: 'phone' as const,
      stream: SIGNER,
      version: (i % 9) + 1,
    }));
    const views = await remote.views(places);
    expect(views.map(({ version }) => version)).toEqual(places.map(({ version }) => version));
    expect(remote.notices()).toEqual([]);
  });

  it('list the flows of both, and show each device as it tells of itself', async () => {
    stopTime();
    const { headset, phone } = await recordLogin(5_000);
    const { address } = await phoneInspector(phone.source, 5_000);
    const both = joinSources(headset.source, await joined(address));
    expect((await both.flows()).map(({ id }) => id)).toEqual([REQUEST, CONNECTION, LINK, SIGNER]);
    const places = [
      { device: 'phone', stream: SIGNER, version: 5 },
      { device: 'headset', stream: CONNECTION, version: 8 },
      { device: 'phone', stream: SIGNER, version: 4 },
    ] as const;
    const views = await both.views([...places]);
    expect(views.map(({ stream, version }) => [stream, version])).toEqual(
      places.map(({ stream, version }) => [stream, version]),
    );
    const own = await phone.source.views([places[2]]);
    const corrected = own[0]?.clocks.map((clock) => ({
      ...clock,
      since: (clock.since ?? 0) - 5_000,
    }));
    expect(views[2]?.clocks).toEqual(corrected);
    expect(await both.whatIf(places[0])).toEqual(await phone.source.whatIf(places[0]));
    const asleep = await both.tryEvents(places[0], [{ type: 'phone.suspended' }]);
    expect(asleep.view.value).toBe('asleep');
    expect(asleep.next.accepts.map(({ type }) => type)).toContain('phone.resumed');
    await expect(both.flow('signer/none')).rejects.toMatchObject({ status: 404 });
  });

  it('go on with one side when the other goes away, and say so', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    const inspector = await phoneInspector(phone.source);
    const both = joinSources(headset.source, await joined(inspector.address));
    expect(both.notices()).toEqual([]);
    await inspector.close();
    expect((await both.flows()).map(({ id }) => id)).toEqual([CONNECTION, LINK]);
    expect(both.notices()).toEqual(['The phone’s inspector went away: its side is not shown.']);
    expect((await both.flow(CONNECTION)).rows.every(({ device }) => device === 'headset')).toBe(
      true,
    );
  });

  it('join again by themselves when the other one answers again', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    let isDown = false;
    const flaky: DeviceSource = {
      ...phone.source,
      flows: (before) =>
        isDown ? Promise.reject(new Error('suspended')) : phone.source.flows(before),
    };
    const { address } = await phoneInspector(flaky);
    const both = joinSources(headset.source, await joined(address));
    isDown = true;
    await both.flows();
    expect(both.notices()).toHaveLength(1);
    isDown = false;
    await vi.waitFor(
      async () => {
        await both.flows();
        expect(both.notices()).toEqual([]);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect((await both.flows()).map(({ id }) => id)).toContain(REQUEST);
  });

  it('tell a page at once what the phone records', async () => {
    const { headset, phone } = await recordLogin();
    const { address } = await phoneInspector(phone.source);
    const both = joinSources(headset.source, await joined(address));
    const client = await startedInspector(both);
    await client.enter();
    const cookie = client.cookie();
    const live = await fetch(`${client.inspector.pages}/api/live`, {
      headers: { Cookie: cookie },
    });
    const messages: LiveMessage[] = [];
    const reading = (async () => {
      for await (const chunk of live.body ?? []) {
        for (const [, json = ''] of Buffer.from(chunk)
          .toString()
          .matchAll(/^data: (.*)$/gm)) {
          messages.push(JSON.parse(json));
        }
      }
    })().catch(() => {});
    wait(0);
    await vi.waitFor(
      () => {
        phone.log.append(SIGNER, 'any', [{ type: 'phone.suspended', data: {} }]);
        expect(messages.findLast(({ type }) => type === 'flows')).toMatchObject({
          flows: [{ id: SIGNER, outcome: 'asleep' }],
        });
      },
      { timeout: 10_000, interval: 500 },
    );
    await client.inspector.close();
    await reading;
  });
});

describe('joining', () => {
  it('takes the token of the address once', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const { address } = await phoneInspector(phone.source);
    await joined(address);
    await expect(joined(address)).rejects.toMatchObject({ name: 'Refusal', status: 403 });
  });

  it('lets read, and neither drive nor have the page', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const { address, origin } = await phoneInspector(phone.source);
    const { token } = parseJoinAddress(address);
    const joining = await fetch(`${origin}/join`, {
      method: 'POST',
      headers: { Origin: origin, 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    const Cookie = joining.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { base } = (await joining.json()) as { base: string };
    const status = async (path: string, init: RequestInit = {}) =>
      (await fetch(`${origin}${base}${path}`, { ...init, headers: { Cookie, Origin: origin } }))
        .status;
    expect(await status('/api/flows?before=8640000000000000')).toBe(200);
    expect(await status('/')).toBe(404);
    expect(await status('/api/drive', { method: 'POST' })).toBe(404);
  });

  it('takes no other address than one that signer inspect prints', () => {
    const token = 'x'.repeat(43);
    expect(parseJoinAddress(` http://127.0.0.1:8000/join#${token}\n`)).toEqual({
      port: 8000,
      token,
    });
    for (const address of [
      '',
      `https://127.0.0.1:8000/join#${token}`,
      `http://localhost:8000/join#${token}`,
      `http://127.0.0.1:8000/join?${token}`,
      `http://127.0.0.1:80000/join#${token}`,
      `http://127.0.0.1:8000@evil.example/join#${token}`,
      `http://127.0.0.1:8000/join#${token}x`,
    ]) {
      expect(() => parseJoinAddress(address)).toThrow(
        'that is not an address which signer inspect prints',
      );
    }
  });

  it('follows no redirect and believes no answer of another shape', async () => {
    const asked: string[] = [];
    const base = `/${'p'.repeat(43)}`;
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const port = (server.address() as AddressInfo).port;
      if (request.url === '/join') {
        response.setHeader('Set-Cookie', `inspector-${port}=${'c'.repeat(43)}; HttpOnly`);
        return void response.end(JSON.stringify({ shows: 'phone', base }));
      }
      if (request.url === `${base}/api/clock`) return void response.end(JSON.stringify({ now: 0 }));
      if (request.url?.startsWith(`${base}/api/flows`)) {
        response.writeHead(302, { Location: '/elsewhere' });
        return void response.end();
      }
      response.end(JSON.stringify([{ device: 'headset', stream: CONNECTION }]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const remote = await joined(`http://127.0.0.1:${port}/join#${'t'.repeat(43)}`);
    await expect(remote.flows()).rejects.toMatchObject({ status: 502 });
    await expect(
      remote.views([{ device: 'phone', stream: SIGNER, version: 1 }]),
    ).rejects.toMatchObject({ status: 502 });
    expect(asked.filter((line) => line.includes('elsewhere'))).toEqual([]);
  });
});

describe('the offset of another clock', () => {
  it('is that of the quickest of several round trips', async () => {
    let now = 1_000_000;
    const trips = [
      [90, 10],
      [40, 900],
      [3, 5],
      [200, 200],
    ];
    let trip = 0;
    const offset = await clockOffset(
      async () => {
        const [there = 0, back = 0] = trips[trip % trips.length] ?? [];
        trip += 1;
        now += there;
        const answer = now + 7_000;
        now += back;
        return answer;
      },
      () => now,
    );
    expect(offset).toBe(-7_000 + 1);
    expect(trip).toBe(8);
  });
});

describe('merged rows', () => {
  it('keep each device’s order and let nothing arrive before it was sent, whatever the clocks say', async () => {
    stopTime();
    const { headset, phone, truth } = await recordLogin(0, 0);
    const own = (await headset.source.flow(CONNECTION)).rows;
    const theirs = (await phone.source.flow(REQUEST)).rows;
    fc.assert(
      fc.property(
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), {
          minLength: own.length,
          maxLength: own.length,
        }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), {
          minLength: theirs.length,
          maxLength: theirs.length,
        }),
        (offset, gaps, phoneGaps) => {
          const first = spaced(own, gaps, 200_000);
          const second = spaced(theirs, phoneGaps, 200_000 + offset);
          const rows = mergedRows(first, second, IDS.request);
          expect(rows.filter(({ device }) => device === 'headset')).toEqual(first);
          expect(typesOf(rows.filter(({ device }) => device === 'phone'))).toEqual(typesOf(theirs));
          const place = (type: string) => typesOf(rows).indexOf(type);
          expect(place('request.received')).toBeGreaterThan(place('ssh.identityAccepted'));
          expect(place('signer.presented')).toBeGreaterThan(place('sheet.shown'));
          expect(place('signer.signed')).toBeGreaterThan(place('xstate.done.actor.keys'));
          const times = rows.map(({ at }) => at);
          expect(times).toEqual(times.toSorted((one, other) => one - other));
        },
      ),
      { numRuns: 200 },
    );
    const between = ['ssh.identityAccepted', 'request.received', 'sheet.shown', 'signer.presented'];
    const told = (types: string[]) => types.filter((type) => between.includes(type));
    // Nothing took any time here: all that is left to go by is what causes what.
    expect(told(typesOf(mergedRows(own, theirs, IDS.request)))).toEqual(told(truth));
  });
});
