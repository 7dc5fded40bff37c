import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../adapters/link/frames.ts';
import { challenge, signMessage, type HostileHeadset } from '../support/hostile-headset.ts';
import { attackedPhone, type AttackedPhone } from '../support/hostile-phone.ts';
import { runsOf } from '../support/program-logs.ts';

const FRAMES = 2_000;
const LINKS = 4;

/** `whole`: complete frames, after which the link can be asked whether it still stands. */
interface Fuzzed {
  bytes: Uint8Array;
  whole: boolean;
}

const whole = (bytes: Uint8Array): Fuzzed => ({ bytes, whole: true });

function framed(body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/** From noise to requests that are right but for one thing, and some that are right. */
function frames({ work }: AttackedPhone): fc.Arbitrary<Fuzzed> {
  const login = Buffer.from(challenge(work), 'base64');
  const ids = ['b3a1c0de-0000-4000-8000-000000000001', 'b3a1c0de-0000-4000-8000-000000000002'];
  const id = fc.oneof(fc.constantFrom(...ids), fc.uuid());
  const data = fc.oneof(
    fc.constant(login),
    fc.nat(login.length).map((length) => login.subarray(0, length)),
    fc.tuple(fc.nat(login.length - 1), fc.nat(255)).map(([at, byte]) => {
      const changed = Buffer.from(login);
      changed[at] = byte;
      return changed;
    }),
    fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([login, tail])),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  );
  const time = fc.integer({ min: 1, max: 40 });
  const request = fc
    .record({ id, data, ttl: time, queueTtl: time, sheetTtl: time })
    .map((parts) => signMessage(work, { ...parts, data: parts.data.toString('base64') }));
  const spoilt = fc
    .tuple(request, fc.constantFrom(...Object.keys(signMessage(work))), fc.jsonValue())
    .map(([message, name, value]) => ({ ...message, [name]: value }));
  const known = fc.constantFrom('hello', 'sign', 'withdraw', 'ping', 'pong', 'bye', 'result');
  const said = fc.oneof(
    { weight: 6, arbitrary: request },
    { weight: 3, arbitrary: spoilt },
    { weight: 3, arbitrary: id.map((one) => ({ t: 'withdraw', id: one })) },
    { weight: 1, arbitrary: fc.record({ t: known }) },
    { weight: 1, arbitrary: fc.tuple(known, fc.object()).map(([t, more]) => ({ ...more, t })) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  return fc.oneof(
    { weight: 8, arbitrary: said.map((message) => whole(encodeFrame(message))) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 300 }).map((body) => whole(framed(body))),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 1 }).map((bytes) => ({ bytes, whole: false })),
    },
  );
}

describe('a paired headset that says whatever comes to its mind', () => {
  let attacked: AttackedPhone;

  beforeAll(async () => {
    attacked = await attackedPhone();
  });
  afterAll(() => attacked?.bench.clear());

  it(`sends ${FRAMES} frames: the phone lives, signs nothing, and serves the next one`, async () => {
    const seed = randomInt(2 ** 31);
    const left = fc.sample(frames(attacked), { seed, numRuns: FRAMES });

    async function keepSending(): Promise<void> {
      let link: HostileHeadset | null = null;
      for (let frame = left.pop(); frame !== undefined; frame = left.pop()) {
        link ??= await attacked.link();
        link.sendBytes(frame.bytes);
        if (frame.whole) await link.settled();
        if (frame.whole && link.isLinked()) continue;
        await link.close();
        link = null;
      }
    }
    /** Its sheets run out unanswered; in a cool-down no request would get as far as the queue. */
    async function keepForgiving(): Promise<void> {
      while (left.length > 0) {
        await attacked.forgive();
        await sleep(1_000);
      }
    }
    await Promise.all([keepForgiving(), ...Array.from({ length: LINKS }, keepSending)]);
    await attacked.closeLinks();
    await attacked.forgive();

    expect(attacked.signatures(), `seed ${seed}`).toBe(0);
    expect(attacked.signer.stderr(), `seed ${seed}`).toBe('');
    // The other first: this one has used up its requests for the moment.
    await attacked.isServed(attacked.other);
    await attacked.isServed();
    expect(attacked.signatures()).toBe(2);
    expect(runsOf(attacked.phone, 'signer').map(({ value }) => value)).toEqual([
      { awake: { linked: 'idle' } },
    ]);
  }, 90_000);
});
