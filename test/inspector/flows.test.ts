import { describe, expect, it } from 'vitest';
import { comparable, frames } from '../../adapters/event-log/replay.ts';
import { signingMachine } from '../../machines/headset/signing.machine.ts';
import { headsetPairingMachine } from '../../machines/pairing/headset-pairing.machine.ts';
import type { EventRow, Place } from '../../app/inspector/protocol.ts';
import {
  BEGINNING,
  machineNamed,
  recordedDevice,
  sourceOf,
  stopTime,
  tell,
  wait,
} from './recorded-devices.ts';
import { CONNECTION, IDS, LINK, recordLogin, REQUEST, SIGNER } from './recorded-login.ts';

const typesOf = (rows: EventRow[]) => rows.map(({ type }) => type);

describe('a recorded login', () => {
  it('is a flow of the headset, with the events of its link in between', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { rows, summary, before } = await headset.source.flow(CONNECTION);
    expect(summary).toEqual({
      id: CONNECTION,
      device: 'headset',
      title: 'log in at bench as root',
      outcome: 'disconnected',
      startedAt: BEGINNING + 20,
      events: 12,
      live: false,
    });
    expect(rows.map(({ machine, version, type }) => `${machine} ${version} ${type}`)).toEqual([
      'connection 1 xstate.init',
      'connection 2 user.connect',
      'connection 3 ssh.resolved',
      'connection 4 ssh.hostKeyKnown',
      'connection 5 ssh.publickeyWanted',
      'link 3 peer.found',
      'link 4 peer.answered',
      'link 5 link.established',
      'connection 6 link.up',
      'connection 7 ssh.identityAccepted',
      'connection 8 signer.presented',
      'connection 9 signer.signed',
      'connection 10 ssh.authenticated',
      'link 6 link.dropped',
      'connection 11 ssh.closed',
      'connection 12 app.stopped',
    ]);
    expect(before).toEqual([
      { device: 'headset', stream: CONNECTION, version: 0 },
      { device: 'headset', stream: LINK, version: 2 },
    ]);
  });

  it('tells for each event who told whom, when, and its plain fields in order', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { rows } = await headset.source.flow(CONNECTION);
    const arrows = rows.map(({ type, from, to }) => `${type}: ${from} → ${to}`);
    expect(arrows.slice(0, 9)).toEqual([
      'xstate.init: headset → headset',
      'user.connect: person → headset',
      'ssh.resolved: headset → headset',
      'ssh.hostKeyKnown: server → headset',
      'ssh.publickeyWanted: server → headset',
      'peer.found: phone → headset',
      'peer.answered: phone → headset',
      'link.established: phone → headset',
      'link.up: phone → headset',
    ]);
    expect(rows[0]?.fields).toEqual([
      ['flowId', 'flow-1'],
      ['host', 'bench'],
      ['port', 'null'],
      ['user', 'root'],
      ['preferred', 'null'],
    ]);
    expect(rows[7]).toEqual({
      device: 'headset',
      stream: LINK,
      version: 5,
      machine: 'link',
      at: BEGINNING + 100,
      type: 'link.established',
      from: 'phone',
      to: 'headset',
      fields: [
        ['phone.id', 'phone-1'],
        ['phone.name', 'iPhone'],
        ['endpoint.address', '192.0.2.7'],
        ['endpoint.port', '7022'],
        ['protocol', '2'],
        ['identities', '1'],
      ],
    });
  });

  it('is a flow of the phone from the arrival of the request to its answer', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const { rows, summary, before } = await phone.source.flow(REQUEST);
    expect(summary).toEqual({
      id: REQUEST,
      device: 'phone',
      title: 'request of visor',
      outcome: 'signed',
      startedAt: BEGINNING + 130,
      events: 7,
      live: false,
    });
    expect(rows.map(({ type, from, to }) => `${type}: ${from} → ${to}`)).toEqual([
      'request.received: headset → phone',
      'sheet.shown: phone → phone',
      'xstate.after.settle.signer.awake.linked.reviewing.settling: phone → phone',
      'user.code: person → phone',
      'user.approve: person → phone',
      'xstate.done.actor.biometrics: phone → phone',
      'xstate.done.actor.keys: phone → phone',
    ]);
    expect(before).toEqual([{ device: 'phone', stream: SIGNER, version: 3 }]);
    expect((await phone.source.flowOfRequest(IDS.request))?.summary.id).toBe(REQUEST);
    expect(await phone.source.flowOfRequest('another')).toBeNull();
  });

  it('is listed with everything else, newest first, and older ones by the time they began', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    const ids = async (before?: number) =>
      (await headset.source.flows(before)).map(({ id, outcome }) => [id, outcome]);
    expect(await ids()).toEqual([
      [CONNECTION, 'disconnected'],
      [LINK, 'lost'],
    ]);
    expect(await ids(BEGINNING + 20)).toEqual([[LINK, 'lost']]);
    expect(await ids(BEGINNING)).toEqual([]);
    const onPhone = await phone.source.flows();
    expect(onPhone.map(({ id, outcome, live }) => [id, outcome, live])).toEqual([
      [REQUEST, 'signed', false],
      [SIGNER, 'idle', true],
    ]);
  });

  it('is at every event what the fold of the log says, on both devices', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    for (const { log, source, device } of [headset, phone]) {
      for (const stream of log.streams()) {
        const folded = [...frames(machineNamed(stream.split('/')[0] ?? ''), log.read(stream))];
        const places = folded.map(({ envelope: { version } }): Place => ({
          device,
          stream,
          version,
        }));
        const views = await source.views(places.toReversed());
        expect(
          views.toReversed().map(({ status, value, context }) => ({ status, value, context })),
        ).toEqual(
          folded.map(({ snapshot }) => {
            const { status, value, context } = comparable(snapshot);
            return { status, value, context };
          }),
        );
      }
    }
  });
});

describe('a request on the phone', () => {
  it('leaves out what concerns other requests alone', async () => {
    stopTime();
    const { phone } = await recordLogin();
    const all = await phone.source.flow(SIGNER);
    const own = await phone.source.flow(REQUEST);
    expect(typesOf(all.rows).slice(0, 3)).toEqual([
      'xstate.init',
      'advertiser.published',
      'link.opened',
    ]);
    expect(all.rows.slice(3)).toEqual(own.rows);
  });
});

describe('a log that grows', () => {
  it('shows what was recorded since, and a flow that may go on as live', async () => {
    stopTime();
    const { log, source, start } = recordedDevice('headset');
    const pairing = start('headset-pairing', headsetPairingMachine, { deviceName: 'visor' }, 'one');
    expect(await source.flows()).toMatchObject([
      { title: 'pair with a phone', outcome: 'idle', live: true },
    ]);
    tell(pairing, 5, { type: 'user.pair' });
    expect(await source.flows()).toMatchObject([{ outcome: 'exchanging', events: 2, live: true }]);
    tell(pairing, 5, { type: 'pairing.failed', reason: 'pairingPeerNotFound' });
    expect(await source.flows()).toMatchObject([{ outcome: 'failed', events: 4, live: false }]);
    expect(typesOf((await source.flow('headset-pairing/one')).rows)).toEqual([
      'xstate.init',
      'user.pair',
      'pairing.failed',
      'app.finished',
    ]);
    expect(await sourceOf('headset', log).flows()).toEqual(await source.flows());
  });

  it('tells a listener', async () => {
    const { source, start } = recordedDevice('headset');
    let told = 0;
    const news = Promise.withResolvers<void>();
    const stop = source.onChange(() => {
      told += 1;
      news.resolve();
    });
    start('headset-pairing', headsetPairingMachine, { deviceName: 'visor' });
    await news.promise;
    expect(told).toBe(1);
    stop();
  });
});

describe('what is foreign in a log', () => {
  it('is escaped in titles, fields and contexts', async () => {
    stopTime();
    const { source, start } = recordedDevice('headset');
    const host = 'bench\u202e\u0007';
    start(
      'signing',
      signingMachine,
      {
        flowId: 'f',
        requestId: 'r',
        fingerprint: 'SHA256:a',
        challengeHash: 'h',
        host,
        port: 22,
        user: '\u200broot',
        code: '42',
        at: 0,
      },
      'one',
    );
    const { summary, rows } = await source.flow('signing/one');
    expect(summary.title).toBe(String.raw`sign for ssh at bench\u{202E}\u{0007} as \u{200B}root`);
    expect(rows[0]?.fields).toContainEqual(['host', String.raw`bench\u{202E}\u{0007}`]);
    const [view] = await source.views([{ device: 'headset', stream: 'signing/one', version: 1 }]);
    expect(view?.context).toMatchObject({ host: String.raw`bench\u{202E}\u{0007}` });
  });
});

describe('what is not there', () => {
  it('is refused: a flow, a stream, a version, the other device', async () => {
    stopTime();
    const { headset } = await recordLogin();
    const { source } = headset;
    const missing = { name: 'Refusal', status: 404 };
    await expect(source.flow('connection/none')).rejects.toMatchObject(missing);
    const place: Place = { device: 'headset', stream: CONNECTION, version: 13 };
    await expect(source.views([place])).rejects.toMatchObject(missing);
    await expect(source.views([{ ...place, version: 12 }])).resolves.toHaveLength(1);
    await expect(source.views([{ ...place, stream: SIGNER }])).rejects.toMatchObject(missing);
    await expect(source.whatIf({ ...place, device: 'phone', version: 1 })).rejects.toMatchObject(
      missing,
    );
  });

  it('before its beginning a machine is nowhere', async () => {
    stopTime();
    const { headset } = await recordLogin();
    wait(1);
    const place: Place = { device: 'headset', stream: CONNECTION, version: 0 };
    expect(await headset.source.views([place])).toEqual([
      {
        ...place,
        machine: 'connection',
        status: 'notBegun',
        value: null,
        context: null,
        active: [],
        taken: [],
        ignored: false,
        clocks: [],
      },
    ]);
  });
});
