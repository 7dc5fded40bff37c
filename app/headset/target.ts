import type { EventLog } from '../../adapters/event-log/store.ts';
import type { Endpoint } from '../../machines/ports.ts';
import { WrongUsage } from '../trouble.ts';
import { savedHosts, type SavedHost, type Target } from './records.ts';

/** 1–65535. @throws {WrongUsage} */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new WrongUsage('a port is a number from 1 to 65535');
  }
  return port;
}

/** `host:port` or `[address]:port`; the port is left out where `null`. */
export function splitPort(text: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, host = '', port] = bracketed;
    return { host, port: port === undefined ? null : parsePort(port) };
  }
  const at = text.lastIndexOf(':');
  // More than one colon without brackets is an IPv6 address.
  if (at < 0 || text.indexOf(':') !== at) return { host: text, port: null };
  return { host: text.slice(0, at), port: parsePort(text.slice(at + 1)) };
}

/** `user@host[:port]`, `host`, or `ssh://user@host:port`. @throws {WrongUsage} */
export function parseTarget(text: string): Target {
  const plain = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const at = plain.lastIndexOf('@');
  const user = at < 0 ? null : plain.slice(0, at);
  const { host, port } = splitPort(plain.slice(at + 1));
  if (host === '' || user === '') throw new WrongUsage('a host is NAME or user@host[:port]');
  if (host.startsWith('-') || user?.startsWith('-')) {
    throw new WrongUsage('a host or user cannot begin with a dash');
  }
  if (host.length > 255 || (user?.length ?? 0) > 255) throw new WrongUsage('that name is too long');
  return { host, port, user };
}

/** `ADDRESS:PORT` of a phone, given by hand. @throws {WrongUsage} */
export function parseEndpoint(text: string): Endpoint {
  const { host, port } = splitPort(text);
  if (host === '' || port === null) throw new WrongUsage('an address is HOST:PORT');
  return { address: host, port };
}

export function findSavedHost(log: EventLog, name: string): SavedHost | null {
  return savedHosts(log).find((host) => host.name === name) ?? null;
}
