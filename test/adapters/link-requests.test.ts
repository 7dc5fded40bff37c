import { createHash } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import type { ListenerOptions } from '../../adapters/link/listener.ts';
import type { Answer } from '../../machines/phone/ports.ts';
import {
  aRequest,
  newIdentity,
  pairingOf,
  readLogin,
  startHeadset,
  startPhone,
} from '../support/link-rig.ts';

let phoneIdentity: DeviceIdentity;
let headsetIdentity: DeviceIdentity;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  phoneIdentity = await newIdentity();
  headsetIdentity = await newIdentity();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function linked(change: Partial<ListenerOptions> = {}) {
  const clock = { now: 0 };
  const device = pairingOf(headsetIdentity, 'headset');
  const phone = await startPhone(phoneIdentity, [device], { now: () => clock.now, ...change });
  const pairings = [pairingOf(phoneIdentity, 'phone')];
  const another = async () => {
    const headset = startHeadset(headsetIdentity, pairings);
    open.push(headset);
    await headset.link(phone.endpoint);
    return headset;
  };
  open.push(phone);
  return { clock, device, phone, another, headset: await another() };
}

type Linked = Awaited<ReturnType<typeof linked>>;

/** Answers the request once it has come, and waits until the asker has heard. */
async function answer({ phone, headset }: Linked, requestId: string, given: Answer) {
  const received = await phone.until('request.received', ({ ref }) => ref.endsWith(requestId));
  const { ref, linkId } = received;
  if (given.outcome === 'signed') phone.listener.requests.putSignature(ref, Buffer.from('signed'));
  phone.send({ type: 'listener.answer', ref, linkId, answer: given });
  await headset.answers.until(given.outcome as 'signed', (fact) => fact.requestId === requestId);
  return received;
}

const received = ({ phone }: Linked) =>
  phone.facts.filter((fact) => fact.type === 'request.received');

test('what was sent is hashed on arrival, and a change of the sender’s buffer changes nothing', async () => {
  const { phone, headset } = await linked();
  const data = Buffer.from('login ada');
  headset.connector.sign(aRequest({ data }));
  data.fill(0);
  const { ref, challengeHash } = await phone.until('request.received');
  const challenge = phone.listener.requests.challengeFor(ref);
  expect(challenge).toEqual(Buffer.from('login ada'));
  expect(challengeHash).toBe(createHash('sha256').update(challenge!).digest('hex'));
});

test('a challenge that changed after it arrived is not given out for signing', async () => {
  let kept: Uint8Array = Buffer.alloc(0);
  const { phone, headset } = await linked({
    readRequest: (data, claim) => {
      kept = data;
      return readLogin(data, claim);
    },
  });
  headset.connector.sign(aRequest());
  const { ref } = await phone.until('request.received');
  expect(phone.listener.requests.challengeFor(ref)).not.toBeNull();
  kept[0]! ^= 1;
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  kept[0]! ^= 1;
  phone.listener.requests.erase(ref);
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  expect(Buffer.from(kept)).toEqual(Buffer.alloc(kept.length));
});

test('when its time is over a request is not given out for signing, whatever the phone knows', async () => {
  const { clock, phone, headset } = await linked();
  headset.connector.sign(aRequest({ ttl: 9_750, queueTtl: 59_750, sheetTtl: 9_750 }));
  const { ref, linkId } = await phone.until('request.received');
  clock.now = 9_749;
  expect(phone.listener.requests.challengeFor(ref)).not.toBeNull();
  clock.now = 9_750;
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();

  headset.connector.sign(aRequest({ ttl: 9_750, queueTtl: 59_750, sheetTtl: 9_750 }));
  const waits = await phone.until('request.received', (fact) => fact.ref !== ref);
  phone.send({ type: 'listener.queued', ref: waits.ref, linkId });
  clock.now = 60_000;
  phone.send({ type: 'listener.presented', ref: waits.ref, linkId });
  clock.now = 69_749;
  expect(phone.listener.requests.challengeFor(waits.ref)).not.toBeNull();
  clock.now = 69_750;
  expect(phone.listener.requests.challengeFor(waits.ref)).toBeNull();
});

test.each([
  ['requestUnreadable', { data: Buffer.from('open the door') }],
  ['requestMismatch', { user: 'root' }],
] as const)('bytes that cannot be shown are refused: %s', async (reason, change) => {
  const { phone, headset, device } = await linked();
  const request = aRequest(change);
  headset.connector.sign(request);
  const ref = `${device.id}/${request.requestId}`;
  const { linkId } = await phone.until('link.opened');
  expect(await phone.until('request.unreadable')).toEqual({
    type: 'request.unreadable',
    ref,
    linkId,
    deviceName: device.name,
    host: request.host,
    user: request.user,
    reason,
  });
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'failed', reason } });
  await headset.answers.until('failed');
  const { requestId } = request;
  expect(headset.answers.facts).toEqual([{ type: 'failed', requestId, reason }]);
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
});

test('a parser that throws is a request that cannot be read', async () => {
  const { phone, headset } = await linked({
    readRequest: () => {
      throw new RangeError('out of bounds');
    },
  });
  headset.connector.sign(aRequest());
  expect((await phone.until('request.unreadable')).reason).toBe('requestUnreadable');
});

test('no request lives longer than two minutes, whatever the headset says', async () => {
  const { phone, headset } = await linked();
  headset.connector.sign(aRequest({ ttl: 600_000, queueTtl: 600_000, sheetTtl: 600_000 }));
  expect(await phone.until('request.received')).toMatchObject({
    ttl: 120_000,
    queueTtl: 120_000,
    sheetTtl: 120_000,
  });
});

test('an id used again for other bytes is refused, and the first request goes on', async () => {
  const given = await linked();
  const { phone, headset, another } = given;
  const request = aRequest();
  headset.connector.sign(request);
  const { ref, linkId } = await phone.until('request.received');
  const second = await another();
  second.connector.sign({ ...request, data: Buffer.from('login ada, session 2') });
  const refused = await phone.until('request.unreadable');
  expect(refused).toMatchObject({ ref, reason: 'requestIdReused' });
  expect(refused.linkId).not.toBe(linkId);
  phone.send({
    type: 'listener.answer',
    ref,
    linkId: refused.linkId,
    answer: { outcome: 'failed', reason: 'requestIdReused' },
  });
  await second.answers.until('failed');
  expect(headset.answers.facts).toEqual([]);
  expect(phone.listener.requests.challengeFor(ref)).toEqual(Buffer.from(request.data));
  await answer(given, request.requestId, { outcome: 'signed' });
  expect(second.answers.facts).toHaveLength(1);
});

test('an id used again with another claim about the same bytes is refused', async () => {
  const { phone, headset } = await linked();
  const request = aRequest();
  headset.connector.sign(request);
  headset.connector.sign({ ...request, host: 'elsewhere.example' });
  expect((await phone.until('request.unreadable')).reason).toBe('requestIdReused');
});

test('the same request over a new link is the same request, and is answered there', async () => {
  const given = await linked();
  const { phone, headset, another } = given;
  const request = aRequest();
  headset.connector.sign(request);
  const first = await phone.until('request.received');
  const second = await another();
  second.connector.sign(request);
  const again = await phone.until('request.received', ({ linkId }) => linkId !== first.linkId);
  expect(again).toEqual({ ...first, linkId: again.linkId });
  headset.send({ type: 'connector.close' });
  await phone.until('link.closed');
  await answer({ ...given, headset: second }, request.requestId, { outcome: 'signed' });
  expect(headset.answers.facts).toEqual([]);
});

test('an answered request gets the same answer again until its time is over', async () => {
  const given = await linked();
  const { phone, clock, another } = given;
  const request = aRequest();
  const { requestId } = request;
  given.headset.connector.sign(request);
  await answer(given, requestId, { outcome: 'signed' });
  const second = await another();
  clock.now = 9_749;
  second.connector.sign(request);
  await second.answers.until('signed');
  expect(second.answers.facts).toEqual([
    { type: 'signed', requestId, signature: Buffer.from('signed') },
  ]);
  expect(received(given)).toHaveLength(1);
  second.connector.sign({ ...request, data: Buffer.from('login ada, session 2') });
  expect((await phone.until('request.unreadable')).reason).toBe('requestIdReused');
  const third = await another();
  clock.now = 9_750;
  third.connector.sign(request);
  await phone.until('request.received', ({ linkId }) => linkId !== received(given)[0]!.linkId);
  expect(third.answers.facts).toEqual([]);
});

test.each<Answer>([{ outcome: 'expired' }])('an answer of %j is not kept', async (given) => {
  const all = await linked();
  const request = aRequest();
  all.headset.connector.sign(request);
  await answer(all, request.requestId, given);
  const second = await all.another();
  second.connector.sign(request);
  await all.phone.until('request.received', ({ linkId }) => linkId !== received(all)[0]!.linkId);
  expect(second.answers.facts).toEqual([]);
});

test('time in the queue does not count against the sheet, and the sheet has its own', async () => {
  const given = await linked();
  const { phone, clock, another, headset } = given;
  const request = aRequest();
  headset.connector.sign(request);
  const { ref, linkId } = await phone.until('request.received');
  phone.send({ type: 'listener.queued', ref, linkId });
  clock.now = 50_000;
  phone.send({ type: 'listener.presented', ref, linkId });
  clock.now = 55_000;
  await answer(given, request.requestId, { outcome: 'denied', why: 'denied' });
  clock.now = 59_749;
  const second = await another();
  second.connector.sign(request);
  await second.answers.until('denied');
  expect(received(given)).toHaveLength(1);
});

test('one headset cannot fill the phone’s memory: the 65th waiting request is refused', async () => {
  const given = await linked();
  const { headset, phone } = given;
  for (let i = 0; i < 65; i += 1) headset.connector.sign(aRequest());
  const failed = await headset.answers.until('failed');
  expect(failed.reason).toBe('phoneBusy');
  expect(headset.answers.facts).toHaveLength(1);
  expect(received(given)).toHaveLength(64);
  const { ref, linkId } = received(given)[0]!;
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'expired' } });
  const next = aRequest();
  headset.connector.sign(next);
  await phone.until('request.received', (fact) => fact.ref.endsWith(next.requestId));
});

test('one headset cannot fill the phone’s log: 256 requests at once, then four a second', async () => {
  const given = await linked();
  const { headset, phone, clock } = given;
  const askAndWithdraw = async (times: number) => {
    for (let i = 0; i < times; i += 1) {
      const request = aRequest();
      headset.connector.sign(request);
      if (i < times - 1) headset.connector.withdraw(request.requestId);
      else await headset.answers.until('failed', (fact) => fact.requestId === request.requestId);
    }
  };
  await askAndWithdraw(400);
  expect(received(given)).toHaveLength(256);
  expect(phone.facts.filter(({ type }) => type === 'request.withdrawn')).toHaveLength(256);
  clock.now = 1_000;
  await askAndWithdraw(100);
  expect(received(given)).toHaveLength(260);
});

test('a request that the protocol cannot say is not sent', async () => {
  const { headset } = await linked();
  for (const change of [
    { requestId: 'not a uuid' },
    { host: 'x'.repeat(256) },
    { data: Buffer.alloc(0) },
    { data: Buffer.alloc(60_000) },
    { ttl: 0 },
  ]) {
    expect(headset.connector.sign(aRequest(change))).toBe(false);
  }
});
