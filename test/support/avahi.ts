import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from './namespaces.ts';

/** avahi-daemon with a message bus of its own, in a namespace of a test. */
export interface Avahi {
  /** Starts `avahi-browse`, `avahi-publish`, … against this daemon. */
  spawn(command: string, args: string[]): ChildProcess;
  /** Removes the daemon's files; its processes end with the namespace. */
  dispose(): void;
}

const programs = ['/usr/sbin/avahi-daemon', '/usr/bin/avahi-browse', '/usr/bin/dbus-daemon'];

/** Which program avahi tests lack here, or `null`. */
export const avahiMissing: string | null = programs.find((path) => !existsSync(path)) ?? null;

export async function startAvahi(host: Namespace): Promise<Avahi> {
  const directory = mkdtempSync(join(tmpdir(), 'avahi-'));
  const bus = join(directory, 'bus');
  const busConfig = join(directory, 'bus.conf');
  const avahiConfig = join(directory, 'avahi.conf');
  writeFileSync(
    busConfig,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig><type>system</type><listen>unix:path=${bus}</listen><auth>EXTERNAL</auth>
      <policy context="default"><allow user="*"/><allow own="*"/>
        <allow send_destination="*"/><allow eavesdrop="true"/></policy></busconfig>`,
  );
  writeFileSync(avahiConfig, '[server]\nhost-name=avahi-host\n');
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${bus}` };
  const start = (command: string, args: string[]): ChildProcess =>
    host.spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });

  start('dbus-daemon', [`--config-file=${busConfig}`, '--nofork', '--nopidfile']);
  await until(() => existsSync(bus));
  // Its pid file has a fixed place; `ip netns exec` gave the command mounts of its own.
  const daemon = `avahi-daemon --no-drop-root --no-chroot --no-rlimits -f ${avahiConfig}`;
  start('sh', ['-c', `mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec ${daemon}`]);
  await until(() => answers(env));
  return {
    spawn: start,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Whether the daemon has its name on the bus. */
function answers(env: NodeJS.ProcessEnv): Promise<boolean> {
  const asking = spawn('avahi-browse', ['--all', '--terminate'], { env, stdio: 'ignore' });
  return new Promise((resolve) => asking.once('exit', (status) => resolve(status === 0)));
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('avahi did not start');
}
