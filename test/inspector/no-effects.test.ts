import crypto from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRun, type Run } from '../../app/inspector/run.ts';
import { createStepper } from '../../app/inspector/stepping.ts';
import { viewOf } from '../../app/inspector/machine-view.ts';
import { whatIfAt } from '../../app/inspector/what-if.ts';
import { machineNamed, stopTime } from './recorded-devices.ts';
import { CONNECTION, LINK, recordLogin, SIGNER } from './recorded-login.ts';

/** What reaches the world: sockets, keys, files, clocks and chance. */
const outside: [object, string[]][] = [
  [net, ['connect', 'createConnection', 'createServer']],
  [net.Socket.prototype, ['connect', 'write']],
  [tls, ['connect', 'createServer']],
  [http, ['request', 'get']],
  [dgram, ['createSocket']],
  [
    crypto,
    [
      'randomBytes',
      'randomUUID',
      'randomInt',
      'createSign',
      'sign',
      'createPrivateKey',
      'createDecipheriv',
      'scrypt',
      'createHash',
    ],
  ],
  [globalThis.crypto, ['getRandomValues', 'randomUUID']],
  [fs, ['readFileSync', 'writeFileSync', 'openSync', 'readFile', 'writeFile']],
  [Date, ['now']],
  [Math, ['random']],
  [performance, ['now']],
  [globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'Date']],
];

/** Runs `work` in a world that is not to be touched; what was touched all the same. */
function untouched<T>(work: () => T): { result: T; touched: string[] } {
  const touched: string[] = [];
  const spies = outside.flatMap(([where, names]) =>
    names.map((name) =>
      vi.spyOn(where as Record<string, () => never>, name).mockImplementation(function () {
        touched.push(name);
        throw new Error(`${name} was touched`);
      }),
    ),
  );
  try {
    return { result: work(), touched };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

afterEach(() => vi.restoreAllMocks());

describe('a recorded login', () => {
  it('is replayed frame by frame, forth and back, without touching the world', async () => {
    stopTime();
    const { headset, phone } = await recordLogin();
    vi.useRealTimers();
    const recorded = [CONNECTION, LINK, SIGNER].map((stream) => ({
      stream,
      machine: machineNamed(stream.split('/')[0] ?? ''),
      envelopes: [...(stream === SIGNER ? phone : headset).log.read(stream)],
    }));

    const { result, touched } = untouched(() =>
      recorded.map(({ stream, machine, envelopes }) => {
        const stepper = createStepper(machine);
        const run: Run = createRun(stream, stepper, envelopes);
        const versions = envelopes.map(({ version }) => version);
        const states = [...versions, ...versions.toReversed()].map((version) => {
          const frame = run.frameAt(version);
          if (frame === null) throw new Error('no frame');
          whatIfAt(stepper, frame, version, run, []);
          return viewOf({ device: 'headset', stream, version }, frame).value;
        });
        return states[versions.length - 1];
      }),
    );

    expect(touched).toEqual([]);
    expect(result).toEqual(['disconnected', { active: 'lost' }, { awake: { linked: 'idle' } }]);
  });

  it('would be found out if it did', () => {
    const { touched } = untouched(() => {
      for (const touch of [() => net.connect(1), () => Date.now(), () => setTimeout(() => {}, 1)]) {
        expect(touch).toThrow('was touched');
      }
    });
    expect(touched).toEqual(['connect', 'now', 'setTimeout']);
  });
});
