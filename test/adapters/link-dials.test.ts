import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Endpoint } from '../../machines/ports.ts';
import { newIdentity, pairingOf, startHeadset, startPhone } from '../support/link-rig.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Endpoints that accept connections and never say a word. */
async function silentEndpoints(count: number) {
  const sockets: Socket[] = [];
  const servers: Server[] = [];
  const endpoints: Endpoint[] = [];
  for (let i = 0; i < count; i += 1) {
    const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoints.push({
      address: '127.0.0.1',
      port: (server.address() as { port: number }).port,
    });
    servers.push(server);
  }
  const hangUp = () => sockets.forEach((socket) => socket.destroy());
  open.push({ close: () => (hangUp(), servers.forEach((server) => server.close())) });
  return { endpoints, sockets, hangUp };
}

test('whatever the network announces, 64 endpoints are dialled at once, and the phone behind them is found', async () => {
  const [phoneIdentity, headsetIdentity] = [await newIdentity(), await newIdentity()];
  const phone = await startPhone(phoneIdentity, [pairingOf(headsetIdentity, 'headset')]);
  const headset = startHeadset(headsetIdentity, [pairingOf(phoneIdentity, 'phone')]);
  open.push(phone, headset);
  const { endpoints, sockets, hangUp } = await silentEndpoints(100);
  headset.send({ type: 'connector.dial', endpoints: [...endpoints, phone.endpoint] });
  await expect.poll(() => sockets.length).toBe(64);
  headset.send({ type: 'connector.dial', endpoints: [...endpoints, phone.endpoint] });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sockets.length).toBe(64);
  hangUp();
  const { endpoint } = await headset.until('peer.answered');
  expect(endpoint).toEqual(phone.endpoint);
});
