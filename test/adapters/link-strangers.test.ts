import {
  createServer as createTcpServer,
  connect as connectTcp,
  type AddressInfo,
  type Socket,
} from 'node:net';
import { once } from 'node:events';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { encodeFrame } from '../../adapters/link/frames.ts';
import { LINK_ALPN } from '../../adapters/link/tls.ts';
import type { Endpoint } from '../../machines/ports.ts';
import {
  anIdentity,
  aRequest,
  dialRaw,
  newIdentity,
  pairingOf,
  signerHello,
  startHeadset,
  startPhone,
  vmuxHello,
} from '../support/link-rig.ts';

let phoneIdentity: DeviceIdentity;
let headsetIdentity: DeviceIdentity;
let strangerIdentity: DeviceIdentity;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  phoneIdentity = await newIdentity();
  headsetIdentity = await newIdentity();
  strangerIdentity = await newIdentity();
});

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function aPhone(...headsets: DeviceIdentity[]) {
  const devices = headsets.map((identity) => pairingOf(identity, 'headset'));
  const phone = await startPhone(phoneIdentity, devices);
  cleanups.push(phone.close);
  return phone;
}

function aHeadset() {
  const headset = startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]);
  cleanups.push(headset.close);
  return headset;
}

/** A phone of the test's own, which says what it likes. */
async function fakePhone(
  identity: DeviceIdentity,
  speak: (socket: TLSSocket) => void,
  options: TlsOptions = {},
): Promise<Endpoint & { bytes: number }> {
  const server = createServer(
    {
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      ALPNProtocols: [LINK_ALPN],
      requestCert: true,
      rejectUnauthorized: false,
      ...options,
    },
    (socket) => {
      socket.on('data', (chunk: Buffer) => {
        endpoint.bytes += chunk.length;
      });
      socket.on('error', () => {});
      speak(socket);
    },
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port, bytes: 0 };
  return endpoint;
}

/** Counts the TLS records of a connection that carry application data, as an observer sees them. */
async function observed(endpoint: Endpoint) {
  const seen = { fromPhone: [] as Buffer[] };
  const server = createTcpServer((near: Socket) => {
    const far: Socket = connectTcp(endpoint.port, endpoint.address);
    near.pipe(far);
    far.on('data', (chunk) => seen.fromPhone.push(chunk));
    far.pipe(near);
    for (const socket of [near, far]) socket.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port, seen };
}

describe.each([
  ['a device that is not paired', (): DeviceIdentity => strangerIdentity, {}],
  ['a device without a certificate', (): null => null, {}],
  [
    'a paired device that names no application protocol',
    (): DeviceIdentity => headsetIdentity,
    { ALPNProtocols: [] },
  ],
  [
    'a paired device with another application protocol',
    (): DeviceIdentity => headsetIdentity,
    { ALPNProtocols: ['vmux-signer/9'] },
  ],
  [
    'a paired device that speaks TLS 1.2 only',
    (): DeviceIdentity => headsetIdentity,
    { maxVersion: 'TLSv1.2' },
  ],
  ['the phone’s own key', (): DeviceIdentity => phoneIdentity, {}],
] as const)('%s', (_who, identity, options) => {
  test('gets not one application byte from a phone, and is not reported', async () => {
    const phone = await aPhone(headsetIdentity);
    const { closed, socket, say } = await dialRaw(phone.endpoint, identity(), {
      ...options,
      ALPNProtocols: 'ALPNProtocols' in options ? [...options.ALPNProtocols] : [LINK_ALPN],
    });
    if (socket.writable) say(vmuxHello);
    expect((await closed).bytes).toBe(0);
    expect(phone.facts).toEqual([]);
  });
});

test('a phone that is paired with nobody lets nobody in', async () => {
  const phone = await aPhone();
  for (const identity of [headsetIdentity, phoneIdentity]) {
    const { closed } = await dialRaw(phone.endpoint, identity);
    expect((await closed).bytes).toBe(0);
  }
  expect(phone.facts).toEqual([]);
});

test('a stranger sees a handshake of one fixed kind, and then the end', async () => {
  const phone = await aPhone(headsetIdentity);
  const wire = await observed(phone.endpoint);
  const { closed } = await dialRaw(wire, strangerIdentity);
  await closed;
  const bytes = Buffer.concat(wire.seen.fromPhone);
  expect(bytes.length).toBeGreaterThan(0);
  expect(bytes.includes('signer')).toBe(false);
  expect(phone.facts).toEqual([]);
});

test('nothing that is said on a link is readable on the wire', async () => {
  const phone = await aPhone(headsetIdentity);
  const wire = await observed(phone.endpoint);
  const headset = aHeadset();
  await headset.link(wire);
  headset.connector.sign(aRequest());
  await phone.until('request.received');
  const bytes = Buffer.concat(wire.seen.fromPhone).toString('latin1');
  expect(bytes).not.toContain('work');
  expect(bytes).not.toContain('identities');
});

test('a headset that was let in by an unpairing in mid-handshake gets nothing', async () => {
  const phone = await aPhone(headsetIdentity);
  // The TLS context still trusts the certificate: only the comparison of pins is left.
  phone.pairedDevices.length = 0;
  const { closed } = await dialRaw(phone.endpoint, headsetIdentity);
  expect((await closed).bytes).toBe(0);
});

test('a session is never resumed', async () => {
  const phone = await aPhone(headsetIdentity);
  const first = await dialRaw(phone.endpoint, headsetIdentity);
  const sessions: Buffer[] = [];
  first.socket.on('session', (session) => sessions.push(session));
  first.say(vmuxHello);
  await first.hears('identities');
  first.socket.destroy();
  const ticket = sessions.at(-1) ?? first.socket.getSession();
  const second = await dialRaw(phone.endpoint, headsetIdentity, { session: ticket! });
  expect(second.secured).toBe(true);
  expect(second.socket.isSessionReused()).toBe(false);
  const stranger = await dialRaw(phone.endpoint, null, { session: ticket! });
  expect((await stranger.closed).bytes).toBe(0);
  second.socket.destroy();
});

test('an unpaired phone gets not one application byte from a headset', async () => {
  let secured = 0;
  const endpoint = await fakePhone(strangerIdentity, (socket) => {
    secured += 1;
    socket.write(encodeFrame(signerHello));
  });
  const headset = aHeadset();
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  await headset.until('peer.refused');
  headset.send({ type: 'connector.secure' });
  expect(headset.facts).toEqual([{ type: 'peer.refused', endpoint, reason: 'unknownPhone' }]);
  expect(secured).toBeLessThan(2);
  expect(endpoint.bytes).toBe(0);
});

test.each([
  ['names no application protocol', { ALPNProtocols: [] }],
  ['speaks TLS 1.2 only', { maxVersion: 'TLSv1.2' }],
] as const)('a paired phone that %s is not answered', async (_what, options) => {
  const endpoint = await fakePhone(phoneIdentity, () => {}, { ...options } as TlsOptions);
  const headset = aHeadset();
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  await headset.until('peer.unreachable');
  expect(endpoint.bytes).toBe(0);
});

test('a phone that forgot the headset is told apart from one that fails', async () => {
  const forgetful = await aPhone(strangerIdentity);
  const headset = aHeadset();
  headset.send({ type: 'connector.dial', endpoints: [forgetful.endpoint] });
  await headset.until('peer.answered');
  headset.send({ type: 'connector.secure' });
  expect(await headset.until('peer.refused')).toEqual({
    type: 'peer.refused',
    endpoint: forgetful.endpoint,
    reason: 'phoneForgotHeadset',
  });
  expect(headset.facts.map((fact) => fact.type)).toEqual(['peer.answered', 'peer.refused']);

  const failing = await fakePhone(phoneIdentity, (socket) => {
    socket.end(encodeFrame(signerHello));
  });
  headset.send({ type: 'connector.dial', endpoints: [failing] });
  await headset.until('link.dropped');
});

test('a phone that speaks newer versions only means that vmux is to be updated', async () => {
  const hello = { ...signerHello, protocols: [3, 4] };
  const endpoint = await fakePhone(phoneIdentity, (socket) => socket.write(encodeFrame(hello)));
  const headset = aHeadset();
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  expect(await headset.until('peer.refused')).toEqual({
    type: 'peer.refused',
    endpoint,
    reason: 'updateVmux',
  });
});

test('a headset of another version hears the phone’s versions and no more', async () => {
  const phone = await aPhone(headsetIdentity);
  const { say, heard, closed } = await dialRaw(phone.endpoint, headsetIdentity);
  say({ ...vmuxHello, protocols: [7] });
  await closed;
  expect(heard).toEqual([signerHello, { t: 'bye', reason: 'closing' }]);
  expect(phone.facts).toEqual([]);
});

const request = () => {
  const { requestId: id, data, ...rest } = aRequest();
  return { t: 'sign', id, data: Buffer.from(data).toString('base64'), ...rest };
};

describe.each([
  ['random bytes', () => Buffer.from('f3a9c1d27b00ff10', 'hex')],
  ['an oversized frame', () => Buffer.from('00010001', 'hex')],
  ['an empty frame', () => Buffer.from('00000000', 'hex')],
  ['an unknown message', () => encodeFrame({ t: 'reboot' })],
  ['an extra property', () => encodeFrame({ ...request(), approved: true })],
  ['a message that only a phone sends', () => encodeFrame({ t: 'identities', identities: [] })],
  ['a second hello', () => encodeFrame(vmuxHello)],
  ['a forged event', () => encodeFrame({ type: 'xstate.done.actor.keys', output: {} })],
])('a paired headset that sends %s', (_what, bytes) => {
  test('is cut off, and nothing of it becomes a request', async () => {
    const phone = await aPhone(headsetIdentity);
    const { socket, say, hears, closed } = await dialRaw(phone.endpoint, headsetIdentity);
    say(vmuxHello);
    await hears('identities');
    socket.write(bytes());
    await closed;
    await phone.until('link.closed');
    expect(phone.facts.map((fact) => fact.type)).toEqual(['link.opened', 'link.closed']);
  });
});

test('a request before hello is not taken', async () => {
  const phone = await aPhone(headsetIdentity);
  const { say, closed, heard } = await dialRaw(phone.endpoint, headsetIdentity);
  say(request());
  await closed;
  expect(heard).toEqual([signerHello]);
  expect(phone.facts).toEqual([]);
});

describe.each([
  ['a message that only a headset sends', vmuxHello],
  ['a result before its identities', { t: 'presented', id: aRequest().requestId }],
  [
    'identities with a property too many',
    { t: 'identities', identities: [{ ...anIdentity, x: 1 }] },
  ],
])('a paired phone that sends %s', (_what, message) => {
  test('is dropped', async () => {
    const endpoint = await fakePhone(phoneIdentity, (socket) => {
      socket.write(Buffer.concat([signerHello, message].map((one) => encodeFrame(one))));
    });
    const headset = aHeadset();
    headset.send({ type: 'connector.dial', endpoints: [endpoint] });
    await headset.until('peer.answered');
    headset.send({ type: 'connector.secure' });
    await headset.until('link.dropped');
    expect(headset.facts.map((fact) => fact.type)).toEqual(['peer.answered', 'link.dropped']);
  });
});

test('what a phone says of a request that was never sent is not reported', async () => {
  const { requestId: id } = aRequest();
  const signed = { t: 'result', id, outcome: 'signed', signature: 'AAEC' };
  const endpoint = await fakePhone(phoneIdentity, (socket) => {
    socket.write(encodeFrame(signerHello));
    socket.once('data', () => {
      socket.write(encodeFrame({ t: 'identities', identities: [] }));
      socket.write(encodeFrame(signed));
      socket.write(encodeFrame({ t: 'identities', identities: [anIdentity] }));
    });
  });
  const headset = aHeadset();
  await headset.link(endpoint);
  await headset.until('link.identitiesChanged');
  expect(headset.answers.facts).toEqual([]);
});

test('every truncation of what a headset says leaves the phone as it was', async () => {
  const phone = await aPhone(headsetIdentity);
  const stream = Buffer.concat([encodeFrame(vmuxHello), encodeFrame(request())]);
  const end = stream.length - 1;
  for (const length of [1, 3, 4, 5, 30, encodeFrame(vmuxHello).length + 7, end]) {
    const { socket, hears } = await dialRaw(phone.endpoint, headsetIdentity);
    await hears('hello');
    socket.end(stream.subarray(0, length));
    await once(socket, 'close');
  }
  expect(phone.facts.filter((fact) => fact.type === 'request.received')).toEqual([]);
});
