import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { LINK_ALPN, PAIR_ALPN } from '../../adapters/link/tls.ts';
import { failures } from '../../machines/failures.ts';
import { endpointOf, identityOf } from '../support/hostile-headset.ts';
import { dialRaw, newIdentity, vmuxHello } from '../support/link-rig.ts';
import { createBench } from '../support/program-driver.ts';
import { eventsOf } from '../support/program-logs.ts';
import {
  connectTo,
  createIdentity,
  pair,
  startPhone,
  type Phone,
} from '../support/program-story.ts';
import { hasSshd, startSshd } from '../support/sshd.ts';

/** TLS record type (RFC 8446 §5.1): the one that says why a handshake ended. */
const ALERT = 21;

const cleanups: (() => unknown)[] = [];
const bench = createBench('shared');
const phone = bench.device('signer');
const headset = bench.device('vmux');
let stranger: DeviceIdentity;
/** Connections that came to the test's own servers. */
let met = 0;

beforeAll(async () => {
  stranger = await newIdentity();
  await createIdentity(phone, 'work', 'correct horse');
  await pair(headset, phone);
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});
afterAll(() => bench.clear());

const linked = () => eventsOf(phone).filter(({ type }) => type === 'link.opened');

async function listenTls(options: TlsOptions, accept: (socket: TLSSocket) => void) {
  const server = createServer({ requestCert: true, rejectUnauthorized: false, ...options }, accept);
  server.on('tlsClientError', () => {});
  server.on('connection', () => void (met += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const ownSide = (identity: DeviceIdentity, alpn: string) => ({
  key: identity.privateKeyPem,
  cert: identity.certificatePem,
  ALPNProtocols: [alpn],
});

describe('a phone that waits for its headset', () => {
  let signer: Phone;
  beforeAll(async () => {
    signer = await startPhone(phone);
  });
  afterAll(async () => {
    signer.kill('SIGTERM');
    await signer.ended;
  });

  it.each([
    ['a headset that is not paired', (): DeviceIdentity => stranger, {}],
    ['a headset without a certificate', (): null => null, {}],
    ['the phone’s own certificate', (): DeviceIdentity => identityOf(phone), {}],
    [
      'the paired certificate with another protocol',
      (): DeviceIdentity => identityOf(headset),
      alpn('h2'),
    ],
    [
      'the paired certificate with the pairing protocol',
      (): DeviceIdentity => identityOf(headset),
      alpn(PAIR_ALPN),
    ],
    [
      'the paired certificate without a protocol',
      (): DeviceIdentity => identityOf(headset),
      alpn(),
    ],
    [
      'the paired certificate in TLS 1.2',
      (): DeviceIdentity => identityOf(headset),
      { maxVersion: 'TLSv1.2' },
    ],
  ] as const)('says not one byte to %s', async (_who, identity, options) => {
    const { socket, say, closed } = await dialRaw(endpointOf(signer.address), identity(), {
      ALPNProtocols: [LINK_ALPN],
      ...options,
    });
    if (socket.writable) say(vmuxHello);
    expect((await closed).bytes).toBe(0);
    expect(linked()).toEqual([]);
  });

  it('says at most why it hangs up to who speaks no TLS, half of it, or not at all', async () => {
    const { address, port } = endpointOf(signer.address);
    const said = await Promise.all(
      [
        Buffer.alloc(2_000, 0x9c),
        Buffer.from('GET / HTTP/1.1\r\nHost: phone\r\n\r\n'),
        Buffer.from('\0\0\0\x0c{"t":"ping"}'),
        Buffer.from('160301020001', 'hex'),
        Buffer.alloc(0),
      ].map(async (bytes) => {
        const socket = connectTcp(port, address);
        const heard: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {});
        socket.write(bytes);
        await once(socket, 'close');
        return Buffer.concat(heard);
      }),
    );
    for (const bytes of said) {
      expect([0, 7]).toContain(bytes.length);
      if (bytes.length > 0) expect(bytes[0]).toBe(ALERT);
    }
    expect(linked()).toEqual([]);
  });

  it('lets its headset in after all of them', async () => {
    const { hears, socket } = await dialRaw(endpointOf(signer.address), identityOf(headset));
    expect(await hears('hello')).toMatchObject({ program: 'signer' });
    socket.destroy();
  });
});

describe.skipIf(!hasSshd)(
  `a headset that looks for its phone${hasSshd ? '' : ' (skipped: no sshd on this machine)'}`,
  () => {
    it.each([
      ['a phone that is not paired', (): DeviceIdentity => stranger, {}],
      ['the headset’s own certificate', (): DeviceIdentity => identityOf(headset), {}],
      [
        'the paired certificate with another protocol',
        (): DeviceIdentity => identityOf(phone),
        alpn('h2'),
      ],
      [
        'the paired certificate in TLS 1.2',
        (): DeviceIdentity => identityOf(phone),
        { maxVersion: 'TLSv1.2' },
      ],
    ] as const)('says not one byte to %s', async (_who, identity, options) => {
      const sshd = await startSshd();
      cleanups.push(() => sshd.stop());
      let bytes = 0;
      met = 0;
      const address = await listenTls(
        { ...ownSide(identity(), LINK_ALPN), ...options },
        (socket) => {
          socket.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
          });
          socket.on('error', () => {});
        },
      );
      const end = await headset.run(connectTo(sshd, { address }, ['true'], ['--timeout', '1']));
      expect(end.status).toBe(255);
      expect(end.stderr).toContain(failures.peerNotFound.message);
      expect(bytes).toBe(0);
      expect(met).toBeGreaterThan(0);
      expect(sshd.log()).not.toContain('Accepted publickey');
    });
  },
);

describe('somebody between the two at their first meeting', () => {
  it('makes the digits differ: what the headset shows is refused on the phone', async () => {
    const [newPhone, newHeadset] = [bench.device('signer'), bench.device('vmux')];
    const waiting = newPhone.start(['pair', '--listen', '127.0.0.1', '--name', 'Phone']);
    const [, port = ''] = await waiting.expect(/on port (\d+)/);
    const [toHeadset, toPhone] = [await newIdentity(), await newIdentity()];
    const between = await listenTls(ownSide(toHeadset, PAIR_ALPN), (near) => {
      const far: TLSSocket = connect({
        host: '127.0.0.1',
        port: Number(port),
        rejectUnauthorized: false,
        ...ownSide(toPhone, PAIR_ALPN),
      });
      near.pipe(far);
      far.pipe(near);
      for (const socket of [near, far]) {
        socket.on('error', () => {});
        socket.on('close', () => {
          near.destroy();
          far.destroy();
        });
      }
    });

    for (const last of [false, false, true]) {
      const asking = newHeadset.start(['pair', '--address', between, '--name', 'Headset']);
      const [, left, right] = await asking.expect(/digits on the phone: {2}(\d{3}) (\d{3})/);
      await waiting.expect('type the six digits that it shows: ');
      waiting.type(`${left}${right}\n`);
      const end = await asking.ended;
      expect(end.status).toBe(1);
      expect(end.stderr).toContain(failures.pairingMismatched.message);
      if (!last) await waiting.expect('that did not match');
    }
    const end = await waiting.ended;
    expect(end.status).toBe(1);
    expect(end.stderr).toContain(failures.pairingMismatched.message);
    expect((await newPhone.run(['devices', '--json'])).stdout).toBe('[]\n');
    expect((await newHeadset.run(['phones', '--json'])).stdout).toBe('[]\n');
  });
});

function alpn(...protocols: string[]) {
  return { ALPNProtocols: protocols };
}
