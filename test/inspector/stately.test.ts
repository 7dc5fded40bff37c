/** Stately's hosted inspector is fed by our relay: its own receiver takes it, and nothing of the person's leaves. */
import { existsSync, statSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createMachine, type AnyStateMachine } from 'xstate';
import { afterEach, describe, expect, it } from 'vitest';
import { comparable, frames } from '../../adapters/event-log/replay.ts';
import { keyOf, transitionsOf } from '../../app/diagrams/transitions.ts';
import { inspectedMachines, machinesOf } from '../../app/inspector/machines.ts';
import { startStatelyRelay, type StatelyRelay } from '../../app/inspector/stately/start-relay.ts';
import { createKeeper, KEPT } from '../../app/inspector/stately/kept-here.ts';
import { temporaryDirectory } from '../support/event-log-directory.ts';
import { machineNamed } from './recorded-devices.ts';
import { CONNECTION, LINK, SIGNER, recordLogin } from './recorded-login.ts';

const all = await inspectedMachines();
let relay: StatelyRelay | null = null;
afterEach(async () => {
  await relay?.close();
  relay = null;
});

async function started() {
  const login = await recordLogin();
  relay = await startStatelyRelay({
    sources: [login.headset, login.phone].map(({ device, log }) => ({
      device,
      log,
      machines: machinesOf(device, all),
    })),
    home: temporaryDirectory(),
  });
  return { login, relay };
}
const file = ({ address }: StatelyRelay) => fileURLToPath(address);
const targetOf = (one: StatelyRelay) =>
  /href="([^"]+)"/.exec(readFileSync(file(one), 'utf8'))?.[1] ?? '';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}
function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
  enough = (_: string) => false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers, method }, (response) => {
      let text = '';
      const done = () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      response.on('data', (chunk) => {
        text += chunk;
        if (enough(text)) {
          done();
          asking.destroy();
        }
      });
      response.on('end', done);
    });
    asking.on('error', reject);
    asking.end();
  });
}
async function entered(one: StatelyRelay): Promise<{ cookie: string }> {
  const { headers } = await ask(targetOf(one));
  return { cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
}
async function messagesOf(one: StatelyRelay, last: string): Promise<StatelyInspectionEvent[]> {
  const { text } = await ask(
    `${one.pages}/events`,
    await entered(one),
    'GET',
    (t) => t.includes(last) && t.endsWith('\n\n'),
  );
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line.slice('data: '.length)));
}
function receivedBy(messages: unknown[]): StatelyInspectionEvent[] {
  let hear: ((event: { data: unknown }) => void) | null = null;
  const greeted: unknown[] = [];
  const window = {
    addEventListener: (_: string, f: NonNullable<typeof hear>) => {
      hear = f;
    },
    parent: { postMessage: (m: unknown) => greeted.push(m) },
  } as never;
  const got: StatelyInspectionEvent[] = [];
  createBrowserReceiver({ window: Object.assign(window, { self: 1, top: 2 }) }).subscribe(
    (m) => void got.push(m),
  );
  expect(greeted).toEqual([{ type: '@statelyai.connected' }]);
  for (const data of messages) (hear as unknown as (event: { data: unknown }) => void)({ data });
  return got;
}
const keys = (machine: AnyStateMachine) =>
  transitionsOf(machine).map(({ definition }) => keyOf(definition));
const LAST = 'phone signer 1 snapshot 10';

describe('the messages', () => {
  it('are taken by the package’s own receiver, all and in order, and each snapshot is the fold of the log', async () => {
    const { login, relay } = await started();
    const messages = await messagesOf(relay, LAST);
    const got = receivedBy(messages);
    expect(got).toEqual(messages);
    for (const [device, stream, name] of [
      [login.headset, CONNECTION, 'headset connection 1'],
      [login.headset, LINK, 'headset link 1'],
      [login.phone, SIGNER, 'phone signer 1'],
    ] as const) {
      const machine = machineNamed(stream.split('/')[0] ?? '');
      const of = got.filter(({ sessionId }) => sessionId === name);
      const envelopes = [...device.log.read(stream)];
      expect(of.slice(0, 3).map(({ type }) => type)).toEqual([
        '@xstate.actor',
        '@xstate.event',
        '@xstate.snapshot',
      ]);
      expect(of.filter((m) => m.type === '@xstate.event').map((m) => m.event.type)).toEqual(
        envelopes.map(({ type }) => type),
      );
      expect(
        of
          .filter((m) => m.type === '@xstate.snapshot')
          .map(({ snapshot }) => [snapshot.status, (snapshot as never)['value']]),
      ).toEqual(
        [...frames(machine, envelopes)].map(({ snapshot }) => {
          const { status, value } = comparable(snapshot);
          return [status, value];
        }),
      );
      expect(
        of
          .map(({ createdAt }) => createdAt)
          .every((at) => envelopes.some((e) => String(e.at) === at)),
      ).toBe(true);
      const [actor] = of;
      const read = createMachine(JSON.parse((actor as never)['definition'])) as AnyStateMachine;
      expect(keys(read)).toEqual(keys(machine));
    }
    const sources = new Set(got.flatMap((m) => (m.type === '@xstate.event' ? [m.sourceId] : [])));
    expect([...sources].map(String).toSorted()).toEqual(
      [
        'headset',
        'person',
        'phone',
        'phone signer 1',
        'headset connection 1',
        'headset link 1',
        'server',
        'undefined',
      ].toSorted(),
    );
  });
  it('hold nothing of the person’s, and no field that no list knows', async () => {
    const { relay } = await started();
    const text = JSON.stringify(await messagesOf(relay, LAST));
    for (const planted of [
      'bench',
      '"root"',
      'iPhone',
      'visor',
      '192.0.2',
      'SHA256',
      'ecdsa',
      '"work"',
      ':"challenge"',
      '"42"',
      '0000-4000',
      'phone-instance',
      'blob-of',
    ])
      expect(text.includes(planted), planted).toBe(false);
    // Alone: a time may hold these digits.
    expect(text).not.toMatch(/(?<!\d)7022(?!\d)/);
    expect(text).not.toMatch(/field-\d/);
    expect(text).toContain('request-1');
  });
  it('keep a field that a chart gets later, whatever it holds', () => {
    expect(
      createKeeper()({
        novelty: { host: 'x' },
        reason: 'denied',
        detail: 'denied',
        deadline: 3,
        port: 22,
        id: 'a',
        why: 'bench',
        found: { abc: [] },
      }),
    ).toEqual({
      'field-1': KEPT,
      reason: 'denied',
      detail: KEPT,
      deadline: 3,
      port: KEPT,
      id: 'phone-1',
      why: KEPT,
      found: { 'instance-1': [] },
    });
  });
});

describe('the relay', () => {
  it('lets in once, by a private file that is then gone', async () => {
    const { relay } = await started();
    expect(statSync(file(relay)).mode & 0o777).toBe(0o600);
    const target = targetOf(relay);
    expect((await ask(target)).status).toBe(200);
    expect(existsSync(file(relay))).toBe(false);
    expect((await ask(target)).status).toBe(403);
  });
  it.each(['/', '/relay.js', '/events'])(
    'refuses a wrong token, no cookie, a foreign Origin, another site, a rebound Host and POST at %s',
    async (path) => {
      const { relay } = await started();
      expect((await ask(`${relay.origin}/enter?token=wrong`)).status).toBe(403);
      const mine = await entered(relay);
      const url = relay.pages + path;
      const status = async (more: Record<string, string>, method = 'GET') =>
        (await ask(url, { ...mine, ...more }, method)).status;
      expect((await ask(url)).status).toBe(403);
      expect(await status({ origin: 'https://evil.example' })).toBe(403);
      expect(await status({ origin: 'https://stately.ai' })).toBe(403);
      expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
      expect(await status({ host: 'evil.example' })).toBe(403);
      expect(await status({ origin: relay.origin }, 'POST')).toBe(405);
      const { headers, status: good } = await ask(url, mine, 'GET', () => true);
      expect(good).toBe(200);
      expect(headers['content-security-policy']).toContain(
        "frame-src https://stately.ai; base-uri 'none'",
      );
      expect(headers['access-control-allow-origin']).toBeUndefined();
    },
  );
});
