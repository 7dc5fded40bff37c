/**
 * Two hosts of a test with people and names of their own: `ip netns exec` lays the files below
 * `/etc/netns/NAME` over `/etc`, so that these names are nowhere else on the machine.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeNamespacePair, type Namespace } from './namespaces.ts';
import { createBench, type Device } from './program-driver.ts';

/** Names that occur in nothing else: what is looked for in a capture. */
export const names = {
  host: 'quartz-harbour.example',
  user: 'quetzaluser',
  label: 'chartreuse-label',
  headset: 'Heliotrope-Headset',
  phone: 'Periwinkle-Phone',
};

export interface Host extends Namespace {
  /** To run a command inside. */
  prefix: string[];
  /** Drops every packet, of any kind, until `mend`. */
  cut(): void;
  mend(): void;
}

export interface Hosts {
  left: Host;
  right: Host;
  directory: string;
  unplug(): void;
  plug(): void;
  /** A device whose programs run on that host. */
  device(program: 'vmux' | 'signer', host: Host): Device;
  /** Ends what runs there and takes everything away again. */
  dispose(): Promise<void>;
}

const overlays = '/etc/netns';

/** `names.user` is user 0 on both; `names.host` is the right one. */
export function makeHosts(): Hosts {
  const pair = makeNamespacePair();
  const bench = createBench('shared');
  const home = join(bench.directory, 'home');
  mkdirSync(home);
  const [left, right] = [hostOf(pair.left), hostOf(pair.right)];
  for (const { name } of [left, right]) {
    const etc = join(overlays, name);
    mkdirSync(etc, { recursive: true });
    const passwd = `${names.user}:*:0:0::${home}:/bin/sh\n${readFileSync('/etc/passwd', 'utf8')}`;
    writeFileSync(join(etc, 'passwd'), passwd);
    writeFileSync(join(etc, 'hosts'), `127.0.0.1 localhost\n${right.address} ${names.host}\n`);
  }
  return {
    left,
    right,
    directory: bench.directory,
    unplug: pair.unplug,
    plug: pair.plug,
    device: (program, host) => bench.device(program, undefined, host.prefix),
    async dispose() {
      await bench.clear();
      pair.dispose();
      for (const { name } of [left, right]) rmSync(join(overlays, name), { recursive: true });
      if (readdirSync(overlays).length === 0) rmdirSync(overlays);
    },
  };
}

function hostOf(namespace: Namespace): Host {
  const nft = (...rules: string[]) => rules.forEach((rule) => namespace.run('nft', [rule]));
  return {
    ...namespace,
    prefix: ['ip', 'netns', 'exec', namespace.name],
    cut: () =>
      nft(
        'add table inet cut',
        'add chain inet cut in { type filter hook input priority 0; policy drop; }',
        'add chain inet cut out { type filter hook output priority 0; policy drop; }',
      ),
    mend: () => nft('delete table inet cut'),
  };
}
