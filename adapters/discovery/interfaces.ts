import { isIPv4 } from 'node:net';
import os from 'node:os';

/** One network interface with at least one IPv4 address. */
export interface NetworkInterface {
  name: string;
  /** Not empty. The first one joins the group and is the source of what is sent. */
  ipv4: { address: string; netmask: string }[];
  /** Link-local addresses (`fe80::/10`), without scope. */
  ipv6: string[];
  mac: string;
  /** Loopback. */
  internal: boolean;
  /** The kernel's interface index, where known: another one means another interface. */
  index: number | null;
}

/**
 * The interfaces multicast DNS runs on now: every one that is up and has an IPv4 address, loopback
 * last. Two programs on one machine find each other over loopback with no network at all, and what
 * is said there never leaves the machine. Addresses alone on their subnet (/32) have no neighbours
 * and are left out.
 */
export function networkInterfaces({ internal = true } = {}): NetworkInterface[] {
  const found: NetworkInterface[] = [];
  for (const [name, addresses = []] of Object.entries(os.networkInterfaces())) {
    const ipv4 = addresses
      .filter((entry) => entry.family === 'IPv4' && entry.netmask !== '255.255.255.255')
      .map(({ address, netmask }) => ({ address, netmask }));
    const [first] = addresses;
    if (first === undefined || ipv4.length === 0 || (first.internal && !internal)) continue;
    const ipv6 = addresses.filter((entry) => entry.family === 'IPv6');
    found.push({
      name,
      ipv4,
      ipv6: ipv6.map((entry) => entry.address).filter(isLinkLocal),
      mac: first.mac,
      internal: first.internal,
      index: ipv6.find((entry) => entry.scopeid)?.scopeid ?? null,
    });
  }
  return found.toSorted((a, b) => Number(a.internal) - Number(b.internal));
}

/** Whether an IPv6 address is in `fe80::/10`. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

/**
 * Whether an IPv4 address is on one of the interface's own subnets (RFC 6762 §11). Sockets that
 * joined the group on one interface also hear it on the others; this tells them apart.
 */
export function isOnSubnet(address: string, networkInterface: NetworkInterface): boolean {
  if (!isIPv4(address)) return false;
  return networkInterface.ipv4.some((own) => {
    const mask = toBits(own.netmask);
    return (toBits(address) & mask) === (toBits(own.address) & mask);
  });
}

/**
 * Whether a socket opened on `before` still works on `now`. A group membership does not survive an
 * interface that was deleted and made again, even with the same name and address.
 */
export function isSameInterface(before: NetworkInterface, now: NetworkInterface): boolean {
  return (
    before.name === now.name &&
    before.mac === now.mac &&
    JSON.stringify(before.ipv4) === JSON.stringify(now.ipv4) &&
    (before.index === null || now.index === null || before.index === now.index)
  );
}

function toBits(ipv4: string): number {
  return ipv4.split('.').reduce((bits, octet) => bits * 256 + Number(octet), 0);
}
