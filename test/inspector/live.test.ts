import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import { Conflict, type DrivingPort } from '../../app/inspector/driving-port.ts';
import type { Driving, EventRow, LiveMessage } from '../../app/inspector/protocol.ts';
import { headsetPairingMachine } from '../../machines/pairing/headset-pairing.machine.ts';
import { startedInspector, type Client } from './inspector-client.ts';
import { recordedDevice } from './recorded-devices.ts';

/** The messages of a page that is open, until the test has finished. */
async function openPage(client: Client, flow?: string) {
  const closing = new AbortController();
  const path = flow === undefined ? '/api/live' : `/api/live?flow=${encodeURIComponent(flow)}`;
  const { body, headers } = await fetch(client.inspector.pages + path, {
    headers: { Cookie: client.cookie() },
    signal: closing.signal,
  });
  expect(headers.get('content-type')).toBe('text/event-stream');
  const messages: LiveMessage[] = [];
  const reading = (async () => {
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        if (event.startsWith('data: ')) messages.push(JSON.parse(event.slice('data: '.length)));
      }
    }
  })().catch(() => {});
  const close = async () => {
    closing.abort();
    await reading;
  };
  onTestFinished(close);
  return { messages, close };
}

/** Counts who listens. */
function counted(source: DeviceSource) {
  const counts = { listening: 0 };
  return {
    counts,
    source: {
      ...source,
      onChange(listener: () => void) {
        counts.listening += 1;
        const stop = source.onChange(listener);
        return () => {
          counts.listening -= 1;
          stop();
        };
      },
    },
  };
}

const soon = { timeout: 5_000, interval: 20 };
const rowsIn = (messages: LiveMessage[]) =>
  messages.flatMap((message): EventRow[] => (message.type === 'rows' ? message.rows : []));

describe('a page that is open', () => {
  it('gets the flows, those that change, and the rows of the one it watches, each once', async () => {
    const { source, start } = recordedDevice('headset');
    const pairing = start('headset-pairing', headsetPairingMachine, { deviceName: 'visor' }, 'one');
    const client = await startedInspector(source);
    await client.enter();
    const { messages } = await openPage(client, 'headset-pairing/one');
    await vi.waitFor(() => expect(rowsIn(messages)).toHaveLength(1), soon);
    pairing.deliver({ type: 'user.pair' });
    await vi.waitFor(() => expect(rowsIn(messages)).toHaveLength(2), soon);
    pairing.deliver({ type: 'user.cancel' });
    await vi.waitFor(() => expect(rowsIn(messages)).toHaveLength(4), soon);
    expect(rowsIn(messages).map(({ version, type }) => [version, type])).toEqual([
      [1, 'xstate.init'],
      [2, 'user.pair'],
      [3, 'user.cancel'],
      [4, 'app.finished'],
    ]);
    const changes = messages.flatMap((message) => (message.type === 'flows' ? message.flows : []));
    expect(changes.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['headset-pairing/one', 'idle'],
      ['headset-pairing/one', 'exchanging'],
      ['headset-pairing/one', 'failed'],
    ]);
    expect(messages.at(-1)).toMatchObject({ type: 'rows', summary: { live: false } });
  });

  it('is what the log is watched for: nothing looks at it before and after', async () => {
    const { source, counts } = counted(recordedDevice('headset').source);
    const client = await startedInspector(source);
    await client.enter();
    await client.json('/api/opening');
    expect(counts.listening).toBe(0);
    const { close } = await openPage(client);
    await vi.waitFor(() => expect(counts.listening).toBe(1), soon);
    await close();
    await vi.waitFor(() => expect(counts.listening).toBe(0), soon);
  });

  it('that watches a flow which does not exist gets the others all the same', async () => {
    const { source, start } = recordedDevice('headset');
    const client = await startedInspector(source);
    await client.enter();
    const { messages } = await openPage(client, 'connection/none');
    await vi.waitFor(
      () => {
        start('headset-pairing', headsetPairingMachine, { deviceName: 'visor' });
        expect(messages.some(({ type }) => type === 'flows')).toBe(true);
      },
      { timeout: 5_000, interval: 300 },
    );
  });
});

describe('driving', () => {
  const connecting: Driving = {
    hosts: ['bench'],
    connection: { host: 'bench', stream: 'connection/one', can: ['cancel'] },
  };

  function drivable(): DrivingPort & { asked: unknown[] } {
    const asked: unknown[] = [];
    let state: Driving = { hosts: ['bench'], connection: null };
    let changed: (() => void) | null = null;
    return {
      asked,
      state: () => state,
      async drive(command) {
        asked.push(command);
        if (command.do === 'reconnect') throw new Conflict('there is nothing to reconnect');
        state = connecting;
        changed?.();
      },
      onChange(listener) {
        changed = listener;
        return () => {};
      },
    };
  }

  it('passes the page’s commands on and tells every page what it came to', async () => {
    const driving = drivable();
    const client = await startedInspector(recordedDevice('headset').source, { driving });
    await client.enter();
    expect(await client.json('/api/opening')).toMatchObject({
      driving: { hosts: ['bench'], connection: null },
    });
    const { messages } = await openPage(client);
    const reply = await client.post('/api/drive', { do: 'connect', host: 'bench' });
    expect(JSON.parse(reply.text)).toEqual(connecting);
    await vi.waitFor(
      () => expect(messages).toEqual([{ type: 'driving', driving: connecting }]),
      soon,
    );
    expect(driving.asked).toEqual([{ do: 'connect', host: 'bench' }]);
  });

  it('says in a sentence what is not possible now', async () => {
    const client = await startedInspector(recordedDevice('headset').source, {
      driving: drivable(),
    });
    await client.enter();
    const reply = await client.post('/api/drive', { do: 'reconnect' });
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      409,
      { error: 'there is nothing to reconnect' },
    ]);
    const unknown = await client.post('/api/drive', { do: 'approve' });
    expect(unknown.status).toBe(400);
  });
});
