import dgram from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces, type NetworkInterface } from '../../adapters/discovery/interfaces.ts';

/** Multicast DNS on loopback only, on a port of its own: beside the machine's real one. */
export interface PrivateMulticast {
  multicastPort: number;
  interfaces: () => NetworkInterface[];
}

export const loopback = (): NetworkInterface[] =>
  networkInterfaces().filter(({ internal }) => internal);

/** Why loopback cannot be used for multicast here, or `null`. */
export const loopbackMulticastMissing: string | null = await findWhatIsMissing();

/** A multicast network of one test, on a port that was free a moment ago. */
export async function privateMulticast(): Promise<PrivateMulticast> {
  const socket = await boundSocket();
  const multicastPort = socket.address().port;
  await new Promise<void>((closed) => socket.close(closed));
  return { multicastPort, interfaces: loopback };
}

/** A socket on a free port of 127.0.0.1 whose multicast goes out over loopback. */
export async function boundSocket(): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  return socket;
}

async function findWhatIsMissing(): Promise<string | null> {
  const socket = dgram.createSocket('udp4').bind(0, '0.0.0.0');
  await once(socket, 'listening');
  try {
    socket.addMembership('224.0.0.251', '127.0.0.1');
    socket.setMulticastInterface('127.0.0.1');
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(2000) });
    socket.send('heard', socket.address().port, '224.0.0.251');
    await heard;
    return null;
  } catch {
    return 'multicast over loopback';
  } finally {
    socket.close();
  }
}
