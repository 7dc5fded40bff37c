import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import {
  anIdentity,
  aRequest,
  newIdentity,
  pairingOf,
  startHeadset,
  startPhone,
  unproven,
} from '../support/link-rig.ts';

let phoneIdentity: DeviceIdentity;
let headsetIdentity: DeviceIdentity;
let otherIdentity: DeviceIdentity;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  phoneIdentity = await newIdentity();
  headsetIdentity = await newIdentity();
  otherIdentity = await newIdentity();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

function opened<One extends { close(): Promise<void> }>(one: One): One {
  open.push(one);
  return one;
}

async function linked() {
  const device = pairingOf(headsetIdentity, 'Ada’s headset');
  const phone = opened(await startPhone(phoneIdentity, [device]));
  const headset = opened(startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'Ada’s phone')]));
  const established = await headset.link(phone.endpoint);
  const { linkId } = await phone.until('link.opened');
  return { device, phone, headset, established, linkId };
}

test('a paired headset and phone link, and the headset learns the identities', async () => {
  const { phone, headset, established, device } = await linked();
  const { id, name } = headset.pairedPhones[0]!;
  expect(headset.facts).toEqual([
    { type: 'peer.answered', endpoint: phone.endpoint, phone: { id, name } },
    established,
  ]);
  expect(established).toEqual({
    type: 'link.established',
    phone: { id, name },
    endpoint: phone.endpoint,
    protocol: 2,
    identities: [anIdentity],
  });
  expect(phone.facts).toEqual([
    {
      type: 'link.opened',
      linkId: expect.any(String),
      deviceId: device.id,
      deviceName: 'Ada’s headset',
    },
  ]);
});

test('a change of identities reaches a linked headset', async () => {
  const { phone, headset } = await linked();
  phone.send({ type: 'listener.advertise', identities: [] });
  expect(await headset.until('link.identitiesChanged')).toEqual({
    type: 'link.identitiesChanged',
    identities: [],
  });
});

test('a request is queued, presented and signed, and the very bytes are the phone’s to sign', async () => {
  const { phone, headset, linkId, device } = await linked();
  const request = aRequest();
  expect(headset.connector.sign(request)).toBe(true);
  const received = await phone.until('request.received');
  const ref = `${device.id}/${request.requestId}`;
  expect(received).toEqual({
    type: 'request.received',
    ref,
    linkId,
    deviceId: device.id,
    deviceName: 'Ada’s headset',
    host: 'build.example',
    port: 22,
    code: '42',
    user: 'ada',
    proof: unproven,
    fingerprint: anIdentity.fingerprint,
    challengeHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    kind: 'publickey',
    detail: null,
    ttl: 9_750,
    queueTtl: 59_750,
    sheetTtl: 9_750,
  });
  expect(phone.listener.requests.challengeFor(ref)).toEqual(Buffer.from(request.data));
  phone.send({ type: 'listener.queued', ref, linkId });
  phone.send({ type: 'listener.presented', ref, linkId });
  expect(phone.listener.requests.putSignature(ref, Buffer.from('a signature'))).toBe(true);
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'signed' } });
  await headset.answers.until('signed');
  const { requestId } = request;
  expect(headset.answers.facts).toEqual([
    { type: 'queued', requestId },
    { type: 'presented', requestId },
    { type: 'signed', requestId, signature: Buffer.from('a signature') },
  ]);
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
});

test.each([
  [
    { outcome: 'denied', why: 'wrongPassphrase' },
    { type: 'denied', why: 'wrongPassphrase' },
  ],
  [{ outcome: 'expired' }, { type: 'expired' }],
  [
    { outcome: 'failed', reason: 'identityDisabled' },
    { type: 'failed', reason: 'identityDisabled' },
  ],
  // An approval for which no signature was left is not one.
  [{ outcome: 'signed' }, { type: 'failed', reason: 'signingFailed' }],
] as const)('the answer %j reaches the headset without a signature', async (answer, fact) => {
  const { phone, headset, linkId } = await linked();
  const request = aRequest();
  headset.connector.sign(request);
  const { ref } = await phone.until('request.received');
  phone.send({ type: 'listener.answer', ref, linkId, answer });
  await headset.answers.until(fact.type);
  expect(headset.answers.facts).toEqual([{ ...fact, requestId: request.requestId }]);
});

test('a withdrawn request is gone from the phone, and a late answer goes nowhere', async () => {
  const { phone, headset, linkId } = await linked();
  const request = aRequest();
  headset.connector.sign(request);
  const { ref } = await phone.until('request.received');
  headset.connector.withdraw(request.requestId);
  expect(await phone.until('request.withdrawn')).toEqual({ type: 'request.withdrawn', ref });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  expect(phone.listener.requests.putSignature(ref, Buffer.from('late'))).toBe(false);
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'signed' } });
  phone.send({ type: 'listener.advertise', identities: [] });
  await headset.until('link.identitiesChanged');
  expect(headset.answers.facts).toEqual([]);
});

test('two headsets at once: each answer goes to its own asker', async () => {
  const [one, two] = [pairingOf(headsetIdentity, 'one'), pairingOf(otherIdentity, 'two')];
  const phone = opened(await startPhone(phoneIdentity, [one, two]));
  const pairings = [pairingOf(phoneIdentity, 'phone')];
  const first = opened(startHeadset(headsetIdentity, pairings));
  const second = opened(startHeadset(otherIdentity, pairings));
  await first.link(phone.endpoint);
  await second.link(phone.endpoint);
  const request = aRequest();
  first.connector.sign(request);
  second.connector.sign({ ...request, data: Buffer.from('login ada, session 2') });
  const [fromOne, fromTwo] = await Promise.all(
    [one, two].map((device) =>
      phone.until('request.received', (fact) => fact.deviceId === device.id),
    ),
  );
  expect(fromOne!.ref).not.toBe(fromTwo!.ref);
  const { ref, linkId } = fromTwo!;
  phone.listener.requests.putSignature(ref, Buffer.from('for two'));
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'signed' } });
  phone.send({
    type: 'listener.answer',
    ref: fromOne!.ref,
    linkId: fromOne!.linkId,
    answer: { outcome: 'denied', why: 'denied' },
  });
  const { requestId } = request;
  await Promise.all([first.answers.until('denied'), second.answers.until('signed')]);
  expect(first.answers.facts).toEqual([{ type: 'denied', requestId, why: 'denied' }]);
  expect(second.answers.facts).toEqual([
    { type: 'signed', requestId, signature: Buffer.from('for two') },
  ]);
});

test('two links of one headset: each has its own requests', async () => {
  const { phone, headset } = await linked();
  const second = opened(startHeadset(headsetIdentity, headset.pairedPhones));
  await second.link(phone.endpoint);
  const request = aRequest();
  second.connector.sign(request);
  const { ref, linkId } = await phone.until('request.received');
  headset.connector.withdraw(request.requestId);
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'expired' } });
  await second.answers.until('expired');
  expect(headset.answers.facts).toEqual([]);
});

test('a link that drops takes its unanswered requests with it', async () => {
  const { phone, headset, linkId } = await linked();
  headset.connector.sign(aRequest());
  const { ref } = await phone.until('request.received');
  headset.send({ type: 'connector.close' });
  expect(await phone.until('link.closed')).toEqual({
    type: 'link.closed',
    linkId,
    detail: 'bye: closing',
  });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  expect(headset.facts.map((fact) => fact.type)).toEqual(['peer.answered', 'link.established']);
});

test('the phone going away is a dropped link, with the jitter that was drawn', async () => {
  const { phone, headset } = await linked();
  await phone.close();
  expect(await headset.until('link.dropped')).toEqual({
    type: 'link.dropped',
    detail: 'bye: asleep',
    jitter: 0.5,
  });
});

test('a device that the phone removes is cut off at once, with its requests', async () => {
  const { phone, headset } = await linked();
  headset.connector.sign(aRequest());
  const { ref, linkId } = await phone.until('request.received');
  phone.pairedDevices.length = 0;
  phone.listener.recheckPins();
  expect(phone.facts.at(-1)).toEqual({ type: 'link.closed', linkId, detail: 'unpaired' });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  const { id, name } = headset.pairedPhones[0]!;
  expect(await headset.until('link.unpaired')).toEqual({
    type: 'link.unpaired',
    phone: { id, name },
  });
  headset.send({ type: 'connector.dial', endpoints: [phone.endpoint] });
  expect(await headset.until('peer.answered', (_fact) => headset.facts.length > 3)).toBeDefined();
  expect(await headset.until('peer.refused')).toEqual({
    type: 'peer.refused',
    endpoint: phone.endpoint,
    reason: 'phoneForgotHeadset',
  });
});

test('a phone that the headset removes is told so, and dropped at once', async () => {
  const unpaired: string[] = [];
  const device = pairingOf(headsetIdentity, 'headset');
  const onUnpaired = (deviceId: string) => void unpaired.push(deviceId);
  const phone = opened(await startPhone(phoneIdentity, [device], { onUnpaired }));
  const headset = opened(startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]));
  await headset.link(phone.endpoint);
  headset.pairedPhones.length = 0;
  headset.connector.recheckPins();
  expect(headset.facts.at(-1)).toEqual({
    type: 'link.dropped',
    detail: 'unpaired here',
    jitter: 0.5,
  });
  expect(headset.connector.sign(aRequest())).toBe(false);
  await phone.until('link.closed');
  expect(unpaired).toEqual([device.id]);
});

test('an unpair notice is for the linked phone only', async () => {
  const { phone, headset, established } = await linked();
  headset.connector.unpairNotice('another phone');
  phone.send({ type: 'listener.advertise', identities: [] });
  await headset.until('link.identitiesChanged');
  headset.connector.unpairNotice(established.phone.id);
  await headset.until('link.dropped');
  expect((await phone.until('link.closed')).detail).toBe('bye: unpaired');
});

test('without a paired phone nothing is dialled', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const headset = opened(startHeadset(headsetIdentity, []));
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  expect(headset.facts).toEqual([{ type: 'peer.refused', endpoint, reason: 'noPhonePaired' }]);
  headset.pairedPhones.push(pairingOf(phoneIdentity, 'phone'));
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  await headset.until('peer.unreachable');
  expect(connections).toBe(1);
  await new Promise((resolve) => server.close(resolve));
});

test('of several endpoints the first paired phone wins; what fails is reported for each', async () => {
  const device = pairingOf(headsetIdentity, 'headset');
  const phone = opened(await startPhone(phoneIdentity, [device]));
  const stranger = opened(await startPhone(otherIdentity, [device]));
  const headset = opened(startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]));
  const closedPort = { address: '127.0.0.1', port: 1 };
  headset.send({ type: 'connector.dial', endpoints: [closedPort, stranger.endpoint] });
  const closed = await headset.until('peer.unreachable');
  expect(closed).toMatchObject({ endpoint: closedPort, detail: 'ECONNREFUSED' });
  expect(await headset.until('peer.refused')).toEqual({
    type: 'peer.refused',
    endpoint: stranger.endpoint,
    reason: 'unknownPhone',
  });
  headset.send({
    type: 'connector.dial',
    endpoints: [phone.endpoint, { ...phone.endpoint, address: 'localhost' }],
  });
  await headset.until('peer.answered');
  headset.send({ type: 'connector.secure' });
  await headset.until('link.established');
  expect(headset.facts.filter((fact) => fact.type === 'peer.answered')).toHaveLength(1);
  expect(phone.facts.filter((fact) => fact.type === 'link.opened')).toHaveLength(1);
});

test('an awake phone lets in, an asleep one says that it is asleep', async () => {
  const device = pairingOf(headsetIdentity, 'headset');
  const phone = opened(await startPhone(phoneIdentity, [device]));
  phone.stop();
  const headset = opened(startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]));
  headset.send({ type: 'connector.dial', endpoints: [phone.endpoint] });
  await headset.until('peer.answered');
  headset.send({ type: 'connector.secure' });
  expect((await headset.until('link.dropped')).detail).toBe('bye: asleep');
});

test('three devices with the same certificate name are told apart by their keys', async () => {
  const identities = [headsetIdentity, otherIdentity, await newIdentity()];
  const devices = identities.map((identity, i) => pairingOf(identity, `headset ${i}`));
  const phone = opened(await startPhone(phoneIdentity, devices));
  for (const [i, identity] of identities.entries()) {
    const headset = opened(startHeadset(identity, [pairingOf(phoneIdentity, 'phone')]));
    await headset.link(phone.endpoint);
    const { deviceName } = await phone.until(
      'link.opened',
      (fact) => fact.deviceId === devices[i]!.id,
    );
    expect(deviceName).toBe(`headset ${i}`);
  }
});
