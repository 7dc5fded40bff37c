import { X509Certificate } from 'node:crypto';
import { createServer, connect, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { from, NEVER, type Observable } from 'rxjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { pinOf, type DeviceIdentity } from '../../adapters/link/certificate.ts';
import { encodeFrame, createFrameDecoder } from '../../adapters/link/frames.ts';
import { createHeadsetPairing } from '../../adapters/link/pairing/headset.ts';
import type { PairingRecord } from '../../adapters/link/pairing/peer.ts';
import { createPhonePairing } from '../../adapters/link/pairing/phone.ts';
import { meetingTls } from '../../adapters/link/pairing/peer.ts';
import { PAIR_ALPN } from '../../adapters/link/tls.ts';
import type {
  HeadsetPairingCommand,
  HeadsetPairingFact,
  PairingInput,
  PhonePairingCommand,
  PhonePairingFact,
} from '../../machines/pairing/ports.ts';
import type { Endpoint } from '../../machines/ports.ts';
import { dialRaw, newIdentity, runPort } from '../support/link-rig.ts';

let phoneIdentity: DeviceIdentity;
let headsetIdentity: DeviceIdentity;
let meddlerIdentity: DeviceIdentity;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  phoneIdentity = await newIdentity();
  headsetIdentity = await newIdentity();
  meddlerIdentity = await newIdentity();
});

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function aPhone(identity = phoneIdentity, store?: (headset: PairingRecord) => string) {
  const stored: PairingRecord[] = [];
  const keep = (headset: PairingRecord) => `device ${stored.push(headset)}`;
  const pairing = createPhonePairing({ identity, store: store ?? keep });
  const port = await pairing.listen(0, '127.0.0.1');
  const running = runPort<PhonePairingCommand, PhonePairingFact, PairingInput>(pairing.actor, {
    deviceName: 'Ada’s phone',
  });
  cleanups.push(async () => {
    running.stop();
    await pairing.close();
  });
  return { ...running, pairing, stored, endpoint: { address: '127.0.0.1', port } };
}

function aHeadset(endpoints: Endpoint[] | Observable<Endpoint>, identity = headsetIdentity) {
  const stored: PairingRecord[] = [];
  const digits: string[] = [];
  const logic = createHeadsetPairing({
    identity,
    endpoints: from(endpoints),
    onDigits: (shown) => digits.push(shown),
    store: (phone) => `phone ${stored.push(phone)}`,
  });
  const running = runPort<HeadsetPairingCommand, HeadsetPairingFact, PairingInput>(logic, {
    deviceName: 'Ada’s headset',
  });
  cleanups.push(running.stop);
  return { ...running, stored, digits };
}

const wrong = (digits: string) => String((Number(digits) + 1) % 1_000_000).padStart(6, '0');

async function met() {
  const phone = await aPhone();
  const headset = aHeadset([phone.endpoint]);
  await headset.until('pairing.digitsReady');
  await phone.until('pairing.digitsReady');
  return { phone, headset, digits: headset.digits[0]! };
}

test('digits typed on the phone and a yes on the headset pair the two', async () => {
  const { phone, headset, digits } = await met();
  expect(digits).toMatch(/^[0-9]{6}$/);
  expect(phone.pairing.enterDigits(`${digits.slice(0, 3)} ${digits.slice(3)}`)).toBe(true);
  await headset.until('pairing.digitsMatched');
  expect([phone.stored, headset.stored]).toEqual([[], []]);
  headset.send({ type: 'pairing.confirm' });
  await headset.until('pairing.completed');
  expect(headset.facts).toEqual([
    { type: 'pairing.digitsReady', peerName: 'Ada’s phone', pin: phoneIdentity.pin },
    { type: 'pairing.digitsMatched' },
    { type: 'pairing.completed', phone: { id: 'phone 1', name: 'Ada’s phone' } },
  ]);
  expect(phone.facts).toEqual([
    { type: 'pairing.digitsReady', peerName: 'Ada’s headset', pin: headsetIdentity.pin },
    { type: 'pairing.digitsMatched' },
    { type: 'pairing.completed', deviceId: 'device 1' },
  ]);
  const records = [...phone.stored, ...headset.stored];
  expect(records.map(({ name, pin }) => ({ name, pin }))).toEqual([
    { name: 'Ada’s headset', pin: headsetIdentity.pin },
    { name: 'Ada’s phone', pin: phoneIdentity.pin },
  ]);
  for (const record of records) {
    expect(pinOf(new X509Certificate(record.certificatePem))).toBe(record.pin);
  }
  expect(JSON.stringify([phone.facts, headset.facts])).not.toContain(digits);
});

test('wrong digits end that exchange on both sides, and the next has other digits', async () => {
  const { phone, headset, digits } = await met();
  expect(phone.pairing.enterDigits(wrong(digits))).toBe(true);
  await headset.until('pairing.digitsDiffered');
  expect(phone.facts.at(-1)).toEqual({ type: 'pairing.digitsDiffered' });
  expect(phone.pairing.enterDigits(digits)).toBe(false);
  headset.send({ type: 'pairing.confirm' });
  const tooEarly = aHeadset([phone.endpoint]);
  expect(await tooEarly.until('pairing.failed')).toEqual({
    type: 'pairing.failed',
    reason: 'pairingPeerNotFound',
  });
  phone.send({ type: 'pairing.again' });
  const again = aHeadset([phone.endpoint]);
  await again.until('pairing.digitsReady');
  expect(again.digits).not.toEqual([digits]);
  expect([phone.stored, headset.stored, again.stored]).toEqual([[], [], []]);
});

test('what is not six digits is not judged, and digits count once', async () => {
  const { phone, headset, digits } = await met();
  for (const text of ['', '12345', `${digits}0`, 'abcdef', '１２３４５６']) {
    expect(phone.pairing.enterDigits(text)).toBe(false);
  }
  expect(phone.pairing.enterDigits(digits)).toBe(true);
  expect(phone.pairing.enterDigits(wrong(digits))).toBe(false);
  await headset.until('pairing.digitsMatched');
  expect(phone.facts.map((fact) => fact.type)).toEqual([
    'pairing.digitsReady',
    'pairing.digitsMatched',
  ]);
});

test('a no on the headset reaches the phone, and neither stores anything', async () => {
  const { phone, headset, digits } = await met();
  phone.pairing.enterDigits(digits);
  await headset.until('pairing.digitsMatched');
  headset.send({ type: 'pairing.decline' });
  expect(await phone.until('pairing.failed')).toEqual({
    type: 'pairing.failed',
    reason: 'pairingDeclined',
  });
  expect([phone.stored, headset.stored]).toEqual([[], []]);
});

test('a headset whose person leaves before the last word has said no', async () => {
  const { phone, headset } = await met();
  headset.stop();
  expect((await phone.until('pairing.failed')).reason).toBe('pairingDeclined');
});

test('a yes before the digits matched is worth nothing', async () => {
  const { phone, headset, digits } = await met();
  headset.send({ type: 'pairing.confirm' });
  phone.pairing.enterDigits(digits);
  await headset.until('pairing.digitsMatched');
  expect([phone.stored, headset.stored]).toEqual([[], []]);
});

test('a phone that goes away is an interruption, and a headset that does leaves', async () => {
  const { phone, headset } = await met();
  phone.stop();
  expect((await headset.until('pairing.failed')).reason).toBe('pairingInterrupted');
  const other = await aPhone();
  const raw = await dialRaw(other.endpoint, headsetIdentity, { ALPNProtocols: [PAIR_ALPN] });
  raw.say({ t: 'hello', protocols: [1], name: 'headset' });
  await raw.hears('commitment');
  raw.say({ t: 'nonce', nonce: Buffer.alloc(32, 7).toString('base64') });
  await raw.hears('nonce');
  raw.socket.destroy();
  expect(await other.until('pairing.peerLeft')).toEqual({ type: 'pairing.peerLeft' });
});

test('when the phone cannot store, the headset is told nothing and stores nothing', async () => {
  const phone = await aPhone(phoneIdentity, () => {
    throw new Error('disk full');
  });
  const headset = aHeadset([phone.endpoint]);
  await headset.until('pairing.digitsReady');
  phone.pairing.enterDigits(headset.digits[0]!);
  await headset.until('pairing.digitsMatched');
  headset.send({ type: 'pairing.confirm' });
  expect((await headset.until('pairing.failed')).reason).toBe('pairingInterrupted');
  expect(phone.facts.at(-1)).toEqual({ type: 'pairing.failed', reason: 'pairingInterrupted' });
  expect(headset.stored).toEqual([]);
});

/** Ends TLS on both sides with its own certificate and passes every byte on, changed or not. */
async function meddler(endpoint: Endpoint, change: (message: Message) => Message = (one) => one) {
  const side = { ...meetingTls(meddlerIdentity) };
  const server = createServer(side, (near) => {
    const far = connect({ ...side, host: endpoint.address, port: endpoint.port, servername: '' });
    relay(near, far, (message) => message);
    relay(far, near, change);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

type Message = Record<string, unknown>;

function relay(from: TLSSocket, to: TLSSocket, change: (message: Message) => Message) {
  const decoder = createFrameDecoder();
  from.on('data', (chunk: Buffer) => {
    for (const message of decoder.push(chunk).messages) {
      to.write(encodeFrame(change(message as Message)));
    }
  });
  from.on('error', () => {});
  from.on('close', () => to.destroy());
}

test('a man in the middle makes the digits differ', async () => {
  const phone = await aPhone();
  const headset = aHeadset([await meddler(phone.endpoint)]);
  const [seenByHeadset, seenByPhone] = [
    await headset.until('pairing.digitsReady'),
    await phone.until('pairing.digitsReady'),
  ];
  expect([seenByHeadset.pin, seenByPhone.pin]).toEqual([meddlerIdentity.pin, meddlerIdentity.pin]);
  expect(phone.pairing.enterDigits(headset.digits[0]!)).toBe(true);
  expect(phone.facts.at(-1)).toEqual({ type: 'pairing.digitsDiffered' });
  await headset.until('pairing.digitsDiffered');
  expect([phone.stored, headset.stored]).toEqual([[], []]);
});

test('a nonce other than the one committed to is tampering, and no digits are shown', async () => {
  const phone = await aPhone();
  const other = Buffer.alloc(32, 1).toString('base64');
  const path = await meddler(phone.endpoint, (message) =>
    message.t === 'nonce' ? { ...message, nonce: other } : message,
  );
  const headset = aHeadset([path]);
  expect(await headset.until('pairing.failed')).toEqual({
    type: 'pairing.failed',
    reason: 'pairingTampered',
  });
  expect(headset.digits).toEqual([]);
});

test('a device that meets itself is told so', async () => {
  const phone = await aPhone(headsetIdentity);
  const headset = aHeadset([phone.endpoint]);
  expect((await headset.until('pairing.failed')).reason).toBe('pairedWithItself');
  expect((await phone.until('pairing.failed')).reason).toBe('pairedWithItself');
});

test('one headset at a time: a second one finds no phone that waits', async () => {
  const { phone, headset, digits } = await met();
  const second = aHeadset([phone.endpoint], meddlerIdentity);
  expect((await second.until('pairing.failed')).reason).toBe('pairingPeerNotFound');
  phone.pairing.enterDigits(digits);
  await headset.until('pairing.digitsMatched');
});

test('of several addresses the first that works is met, and a search without end goes on', async () => {
  const phone = await aPhone();
  const nowhere = { address: '127.0.0.1', port: 1 };
  const headset = aHeadset([nowhere, phone.endpoint]);
  await headset.until('pairing.digitsReady');
  expect((await aHeadset([nowhere]).until('pairing.failed')).reason).toBe('pairingPeerNotFound');
  expect(aHeadset(NEVER).facts).toEqual([]);
});

test('a headset of another version is refused with the program to update', async () => {
  const phone = await aPhone();
  const raw = await dialRaw(phone.endpoint, headsetIdentity, { ALPNProtocols: [PAIR_ALPN] });
  raw.say({ t: 'hello', protocols: [9], name: 'headset' });
  expect(await phone.until('pairing.failed')).toEqual({
    type: 'pairing.failed',
    reason: 'updateSigner',
  });
  await raw.closed;
});

test.each([
  ['no certificate', null, [PAIR_ALPN]],
  ['no application protocol', 'own', []],
  ['the link’s protocol', 'own', ['vmux-signer/1']],
] as const)('a peer with %s gets no byte and does not count', async (_what, who, protocols) => {
  const phone = await aPhone();
  const raw = await dialRaw(phone.endpoint, who && headsetIdentity, {
    ALPNProtocols: [...protocols],
  });
  expect((await raw.closed).bytes).toBe(0);
  const headset = aHeadset([phone.endpoint]);
  await headset.until('pairing.digitsReady');
  expect(phone.facts).toHaveLength(1);
});

test.each([
  ['a message out of order', encodeFrame({ t: 'confirm' })],
  ['a nonce before hello', encodeFrame({ t: 'nonce', nonce: Buffer.alloc(32).toString('base64') })],
  ['a name that is too long', encodeFrame({ t: 'hello', protocols: [1], name: 'x'.repeat(65) })],
  ['random bytes', Buffer.from('b5c3a09e', 'hex')],
])('a peer that sends %s is cut off, and the next may come', async (_what, bytes) => {
  const phone = await aPhone();
  const raw = await dialRaw(phone.endpoint, meddlerIdentity, { ALPNProtocols: [PAIR_ALPN] });
  raw.socket.write(bytes);
  expect((await raw.closed).bytes).toBe(0);
  const headset = aHeadset([phone.endpoint]);
  await headset.until('pairing.digitsReady');
  expect(phone.facts).toHaveLength(1);
});
