import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** A network namespace of a test: a host of its own, as far as the network can tell. */
export interface Namespace {
  name: string;
  /** The IPv4 address on the veth, in `prefix`/24. */
  address: string;
  /** The veth's name inside. */
  interfaceName: string;
  /** Starts a command inside. The child's pid is the command's own. */
  spawn(command: string, args: string[], options?: SpawnOptions): ChildProcess;
  /** Runs a command inside and returns its stdout; throws when it fails. */
  run(command: string, args: string[]): string;
  /** Drops every multicast datagram, in and out, with nftables. */
  dropMulticast(): void;
  allowMulticast(): void;
}

export interface NamespacePair {
  left: Namespace;
  right: Namespace;
  /** Deletes the veth. */
  unplug(): void;
  /** Makes the veth, with the same names and addresses; also after `unplug`. */
  plug(): void;
  /** Kills what still runs inside, by pid, and removes both namespaces. */
  dispose(): void;
}

/** Why namespaces cannot be made here, or `null`: for `it.skipIf` and the test's name. */
export const namespacesMissing: string | null = findWhatIsMissing();

/** Makes two namespaces joined by a veth, 10.77.0.1 and 10.77.0.2, loopback up in both. */
export function makeNamespacePair(): NamespacePair {
  const id = randomBytes(4).toString('hex');
  const left = namespace(`vmux-l-${id}`, '10.77.0.1', 'veth-l');
  const right = namespace(`vmux-r-${id}`, '10.77.0.2', 'veth-r');
  const pair: NamespacePair = {
    left,
    right,
    unplug: () => ip('-n', left.name, 'link', 'del', left.interfaceName),
    plug() {
      const peer = ['peer', 'name', right.interfaceName, 'netns', right.name];
      ip('-n', left.name, 'link', 'add', left.interfaceName, 'type', 'veth', ...peer);
      for (const { name, address, interfaceName } of [left, right]) {
        ip('-n', name, 'address', 'add', `${address}/24`, 'dev', interfaceName);
        ip('-n', name, 'link', 'set', interfaceName, 'up');
      }
      [left, right].forEach(waitUntilUp);
    },
    dispose() {
      for (const { name } of [left, right]) {
        for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean))
          killIfAlive(Number(pid));
        ip('netns', 'del', name);
      }
    },
  };
  for (const { name } of [left, right]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  pair.plug();
  return pair;
}

function namespace(name: string, address: string, interfaceName: string): Namespace {
  const inside = ['netns', 'exec', name];
  const run = (command: string, args: string[]): string => ip(...inside, command, ...args);
  return {
    name,
    address,
    interfaceName,
    run,
    spawn: (command, args, options = {}) => spawn('ip', [...inside, command, ...args], options),
    dropMulticast() {
      for (const rule of [
        'add table ip no_multicast',
        'add chain ip no_multicast in { type filter hook input priority 0; }',
        'add chain ip no_multicast out { type filter hook output priority 0; }',
        'add rule ip no_multicast in ip daddr 224.0.0.0/4 drop',
        'add rule ip no_multicast out ip daddr 224.0.0.0/4 drop',
      ])
        run('nft', [rule]);
    },
    allowMulticast: () => void run('nft', ['delete table ip no_multicast']),
  };
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The kernel reports a carrier some time after both ends are up; programs see it only then. */
function waitUntilUp({ name, interfaceName }: Namespace): void {
  for (let tries = 0; tries < 100; tries += 1) {
    if (ip('-n', name, 'link', 'show', interfaceName).includes('state UP')) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  throw new Error(`${interfaceName} in ${name} did not come up`);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function findWhatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root';
  const probe = `vmux-probe-${randomBytes(4).toString('hex')}`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'exec', probe, 'nft', 'list tables');
  } catch {
    return 'iproute2, nftables or the right to make namespaces';
  }
  ip('netns', 'del', probe);
  return null;
}
