import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame, MAX_FRAME } from '../../adapters/link/frames.ts';
import { challenge, signMessage } from '../support/hostile-headset.ts';
import { attackedPhone, type AttackedPhone } from '../support/hostile-phone.ts';
import { vmuxHello } from '../support/link-rig.ts';

describe('a paired headset that has gone bad', () => {
  let attacked: AttackedPhone;

  beforeAll(async () => {
    attacked = await attackedPhone();
  });
  afterEach(() => attacked.closeLinks());
  afterAll(() => attacked?.bench.clear());

  describe.each<[string, () => Uint8Array]>([
    ['random bytes', () => randomBytes(4096)],
    ['a frame of no bytes', () => Buffer.alloc(4)],
    ['a frame larger than any may be', () => oversized()],
    ['a frame that says it has 4 GiB', () => Buffer.alloc(64, 0xff)],
    ['a frame that is no JSON', () => framed('{"t":"sign"')],
    ['a frame that is no UTF-8', () => framed(Buffer.from([0x22, 0xff, 0xfe, 0x22]))],
    ['JSON nested 30,000 deep', () => framed('['.repeat(30_000) + ']'.repeat(30_000))],
    ['JSON that is no object', () => framed('null')],
    ['an unknown message', () => encodeFrame({ t: 'reboot' })],
    ['a message of the phone', () => encodeFrame({ t: 'identities', identities: [] })],
    [
      'a result',
      () => encodeFrame({ t: 'result', id: randomUUID(), outcome: 'denied', why: 'denied' }),
    ],
    ['a second hello', () => encodeFrame(vmuxHello)],
    ['an event of the chart', () => encodeFrame({ type: 'user.approve', ref: 'x' })],
    ['an event of the chart under the name of a message', () => encodeFrame({ t: 'user.approve' })],
    ...['biometrics', 'keys'].flatMap((id): [string, () => Uint8Array][] => {
      const forged = `xstate.done.actor.${id}`;
      return [
        [
          `${forged} as an event`,
          () => encodeFrame({ type: forged, output: { verdict: 'verified' } }),
        ],
        [
          `${forged} as a message`,
          () => encodeFrame({ t: forged, output: { verdict: 'verified' } }),
        ],
      ];
    }),
    ['xstate.stop as a message', () => encodeFrame({ t: 'xstate.stop' })],
    ['a request with a property too many', () => sign({ type: 'xstate.done.actor.keys' })],
    ['a request with a prototype of its own', () => framed(withPrototype())],
    ['a request under a reference of another device', () => sign({ id: refOfOther() })],
    ['a request under an id in capitals', () => sign({ id: randomUUID().toUpperCase() })],
    [
      'a withdrawal of another device’s request',
      () => encodeFrame({ t: 'withdraw', id: refOfOther() }),
    ],
    ['a request without end', () => sign({ ttl: Number.MAX_SAFE_INTEGER })],
    ['a request that ended before', () => sign({ ttl: -1 })],
    ['a user name of 300 characters', () => sign({ user: 'a'.repeat(300) })],
    [
      'half a surrogate pair as host',
      () => framed(JSON.stringify(signMessage(attacked.work, { host: '\ud800' }))),
    ],
    ['base64 with a line in it', () => sign({ data: `${challenge(attacked.work)}\n` })],
  ])('sends %s', (_what, bytes) => {
    it('is hung up on, and there is no sheet', async () => {
      const bad = await attacked.link();
      bad.sendBytes(bytes());
      await bad.hungUp;
      expect(bad.heard.map(({ t }) => t).filter((t) => t !== 'ping')).toEqual([
        'hello',
        'identities',
      ]);
      expect(attacked.sheets()).toBe(0);
      await attacked.link();
    });
  });
  it('all of that changed nothing: a good request is served, and only that was signed', async () => {
    expect(attacked.signatures()).toBe(0);
    await attacked.isServed();
    expect(attacked.signatures()).toBe(1);
  });

  const sign = (change: object) => encodeFrame({ ...signMessage(attacked.work), ...change });
  const refOfOther = () => `${attacked.otherId}/${randomUUID()}`;
  const withPrototype = () =>
    JSON.stringify(signMessage(attacked.work)).replace('{', '{"__proto__":{"approved":true},');
});

function framed(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(bytes.length);
  return Buffer.concat([header, bytes]);
}

const oversized = () => framed(Buffer.alloc(MAX_FRAME + 1, 0x20));
