import { isSameInterface, networkInterfaces, type NetworkInterface } from './interfaces.ts';
import type { DnsMessage } from './message.ts';
import {
  multicastDnsPort,
  openMulticastSocket,
  type MulticastSocket,
  type Source,
} from './multicast.ts';

/** Where multicast DNS runs; both have a default. */
export interface MulticastOptions {
  /** Asked at the start and every two seconds. */
  interfaces?: (() => NetworkInterface[]) | undefined;
  /** 5353. Another one makes a network of its own, beside a machine's real one. */
  multicastPort?: number | undefined;
}

export interface SocketsEvents {
  joined(socket: MulticastSocket): void;
  left(socket: MulticastSocket): void;
  received(socket: MulticastSocket, message: DnsMessage, source: Source): void;
  /** No interface works. Once for each `detail`, and again after a time in which one did. */
  unavailable(detail: string): void;
}

const pollInterval = 2000;

/**
 * Keeps one multicast socket for each network interface: opened when the interface appears, closed
 * when it goes, rebuilt when it changed, since a membership does not come back by itself. Returns
 * what stops it; `left` is not called for sockets closed that way.
 */
export function openOnEveryInterface(options: MulticastOptions, events: SocketsEvents): () => void {
  const { interfaces = networkInterfaces, multicastPort = multicastDnsPort } = options;
  const open = new Map<string, { socket: MulticastSocket; joined: boolean }>();
  let reported: string | null = null;
  let stopped = false;

  function follow(): void {
    const present = new Map(interfaces().map((each) => [each.name, each]));
    for (const [name, { socket, joined }] of open) {
      const now = present.get(name);
      if (now !== undefined && isSameInterface(socket.networkInterface, now)) {
        socket.networkInterface = now;
        continue;
      }
      open.delete(name);
      socket.close();
      if (joined) events.left(socket);
    }
    for (const [name, networkInterface] of present)
      if (!open.has(name) && !stopped) start(networkInterface);
    if (present.size === 0) report('no network interface');
  }

  function start(networkInterface: NetworkInterface): void {
    const { name } = networkInterface;
    const socket = openMulticastSocket(networkInterface, multicastPort, {
      joined: (socket) => {
        open.set(name, { socket, joined: true });
        reported = null;
        events.joined(socket);
      },
      failed: (detail) => {
        open.delete(name);
        if (open.size === 0) report(detail);
      },
      received: events.received,
    });
    open.set(name, { socket, joined: false });
  }

  function report(detail: string): void {
    if (stopped || reported === detail) return;
    reported = detail;
    events.unavailable(detail);
  }

  const poll = setInterval(follow, pollInterval);
  follow();
  return () => {
    stopped = true;
    clearInterval(poll);
    for (const { socket } of open.values()) socket.close();
    open.clear();
  };
}
