import dgram from 'node:dgram';
import multicastDns from 'multicast-dns';
import { isOnSubnet, type NetworkInterface } from './interfaces.ts';
import { isPlausibleMessage, readMessage, type DnsMessage } from './message.ts';

/** RFC 6762 §3. */
export const multicastDnsPort = 5353;

/** A record as the codec writes it. */
export type OutgoingRecord = NonNullable<multicastDns.FullPacket['answers']>[number];

export interface Source {
  address: string;
  port: number;
}

/** Multicast DNS on one interface. */
export interface MulticastSocket {
  /** Follows address changes that leave the socket working (IPv6). */
  networkInterface: NetworkInterface;
  /** 5353, unless the network is a private one: what multicast DNS speakers send from. */
  readonly port: number;
  /** To the group; `sent` gets the error if the kernel refused. */
  query(packet: multicastDns.QueryOutgoingPacket, sent?: (error: Error | null) => void): void;
  respond(packet: multicastDns.ResponseOutgoingPacket, sent?: (error: Error | null) => void): void;
  /** To one asker that is no multicast DNS speaker (RFC 6762 §6.7). */
  respondTo(to: Source, packet: multicastDns.ResponseOutgoingPacket): void;
  close(): void;
}

export interface MulticastEvents {
  /** Joined: from now on packets come and go. */
  joined(socket: MulticastSocket): void;
  /** Never joined, and is closed. `detail` is the system's, e.g. `bind EACCES 0.0.0.0:5353`. */
  failed(detail: string): void;
  /** From the interface's own subnets only. */
  received(socket: MulticastSocket, message: DnsMessage, source: Source): void;
}

/**
 * Opens multicast DNS on one interface, over IPv4 (its IPv6 addresses travel in AAAA records).
 * Whatever arrives, nothing throws: a packet that is not plausible, not decodable or not from the
 * interface's subnets does not exist.
 */
export function openMulticastSocket(
  networkInterface: NetworkInterface,
  port: number,
  events: MulticastEvents,
): MulticastSocket {
  const datagrams = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  const dns = multicastDns({
    socket: datagrams,
    port,
    // Binding to the interface's own address would leave it deaf to the group on Linux.
    bind: '0.0.0.0',
    interface: networkInterface.ipv4[0]?.address,
  });

  let joined = false;
  let closed = false;
  let trouble = 'membership refused';

  const socket: MulticastSocket = {
    networkInterface,
    port,
    query: (packet, sent) => send((done) => dns.query(packet, done), sent),
    respond: (packet, sent) => send((done) => dns.respond(packet, done), sent),
    respondTo: (to, packet) => send((done) => dns.respond(packet, to, done)),
    close() {
      if (closed) return;
      closed = true;
      dns.destroy();
    },
  };

  function send(
    write: (done: (error: Error | null) => void) => void,
    sent?: (error: Error | null) => void,
  ): void {
    if (!closed) write((error) => sent?.(error ?? null));
  }

  function fail(error: Error): void {
    if (closed || joined) return;
    socket.close();
    events.failed(error.message);
  }

  guardDecoder(datagrams, (bytes, source) => {
    return (
      !closed && isOnSubnet(source.address, socket.networkInterface) && isPlausibleMessage(bytes)
    );
  });
  dns.on('packet', (packet: multicastDns.FullPacket, source: Source) => {
    if (joined && !closed) events.received(socket, readMessage(packet), source);
  });
  dns.on('networkInterface', () => {
    joined = true;
  });
  dns.on('warning', (error) => {
    trouble = error.message;
  });
  dns.on('error', fail);
  dns.on('ready', () => {
    if (!joined) fail(new Error(trouble));
    else if (!closed) events.joined(socket);
  });
  return socket;
}

/** Lets only accepted datagrams reach the decoder that multicast-dns attached to its socket. */
function guardDecoder(
  datagrams: dgram.Socket,
  accepts: (bytes: Buffer, source: Source) => boolean,
): void {
  const decoders = datagrams.listeners('message');
  datagrams.removeAllListeners('message');
  datagrams.on('message', (bytes, source) => {
    if (!accepts(bytes, source)) return;
    for (const decode of decoders) decode.call(datagrams, bytes, source);
  });
}
