import { afterEach, beforeAll, expect, test } from 'vitest';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import type { Endpoint } from '../../machines/ports.ts';
import { aRequest, newIdentity, pairingOf, startHeadset, startPhone } from '../support/link-rig.ts';

let phoneIdentity: DeviceIdentity;
let headsetIdentity: DeviceIdentity;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  phoneIdentity = await newIdentity();
  headsetIdentity = await newIdentity();
});

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

/** A network between two devices that can be told to carry nothing, and keeps its sockets open. */
async function network(endpoint: Endpoint) {
  let silent = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far: Socket = connectTcp(endpoint.port, endpoint.address);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => silent || to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => silent || to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    goSilent: () => {
      silent = true;
    },
  };
}

async function linkedOver() {
  const phone = await startPhone(phoneIdentity, [pairingOf(headsetIdentity, 'headset')]);
  cleanups.push(phone.close);
  const path = await network(phone.endpoint);
  const headset = startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]);
  cleanups.push(headset.close);
  await headset.link(path);
  return { phone, headset, path };
}

test('a link that falls silent is dead on both sides, and a request goes with it', async () => {
  const { phone, headset, path } = await linkedOver();
  headset.connector.sign(aRequest());
  const { ref, linkId } = await phone.until('request.received');
  path.goSilent();
  expect(await headset.until('link.dropped')).toEqual({
    type: 'link.dropped',
    detail: 'silent',
    jitter: 0.5,
  });
  expect(await phone.until('link.closed')).toEqual({
    type: 'link.closed',
    linkId,
    detail: 'silent',
  });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
});

test('a link on which nobody has anything to say stays up', async () => {
  const { phone, headset } = await linkedOver();
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(headset.facts.map((fact) => fact.type)).toEqual(['peer.answered', 'link.established']);
  expect(phone.facts.map((fact) => fact.type)).toEqual(['link.opened']);
});

test('a phone that was suspended drops its links and their requests when it wakes', async () => {
  const { phone, headset } = await linkedOver();
  headset.connector.sign(aRequest());
  const { ref, linkId } = await phone.until('request.received');
  phone.listener.requests.putSignature(ref, Buffer.from('too late'));
  const wake = performance.now() + 2_200;
  while (performance.now() < wake);
  phone.send({ type: 'listener.answer', ref, linkId, answer: { outcome: 'signed' } });
  expect(phone.facts.at(-1)).toEqual({ type: 'link.closed', linkId, detail: 'suspended' });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  expect((await headset.until('link.dropped')).detail).toBe('bye: asleep');
  expect(headset.answers.facts).toEqual([]);
});

test('a phone that is told of its suspension drops everything at once', async () => {
  const { phone, headset } = await linkedOver();
  headset.connector.sign(aRequest());
  const { ref, linkId } = await phone.until('request.received');
  phone.listener.suspended();
  expect(phone.facts.at(-1)).toEqual({ type: 'link.closed', linkId, detail: 'suspended' });
  expect(phone.listener.requests.challengeFor(ref)).toBeNull();
  await headset.until('link.dropped');
});

test('a phone that accepts a connection and then stands still is unreachable', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const endpoint = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const headset = startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]);
  cleanups.push(headset.close);
  headset.send({ type: 'connector.dial', endpoints: [endpoint] });
  expect(await headset.until('peer.unreachable')).toEqual({
    type: 'peer.unreachable',
    endpoint,
    detail: 'no answer',
  });
});
