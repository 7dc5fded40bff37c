/**
 * The programs that tests meet: real servers and real network tools. Debian provides all of them;
 * elsewhere the tests that need one skip, and say so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Needed {
  command: string;
  /** Its Debian package. */
  debian: string;
  /** What goes untested without it. */
  suites: string;
}

export const needed: readonly Needed[] = [
  { command: 'sshd', debian: 'openssh-server', suites: 'logins at a real OpenSSH server' },
  {
    command: 'ssh',
    debian: 'openssh-client',
    suites: 'ssh configuration and comparisons with ssh',
  },
  { command: 'ip', debian: 'iproute2', suites: 'two hosts joined by a veth' },
  { command: 'nft', debian: 'nftables', suites: 'networks that drop multicast' },
  { command: 'tcpdump', debian: 'tcpdump', suites: 'captures of the traffic' },
  { command: 'tmux', debian: 'tmux', suites: 'programs driven in a real terminal' },
  { command: 'avahi-daemon', debian: 'avahi-daemon', suites: 'discovery beside avahi' },
  { command: 'avahi-browse', debian: 'avahi-utils', suites: 'discovery beside avahi' },
  { command: 'dbus-daemon', debian: 'dbus', suites: 'discovery beside avahi' },
  { command: 'ps', debian: 'procps', suites: 'memory, arguments and environment of processes' },
  { command: 'plink', debian: 'putty-tools', suites: "PuTTY's plink with the agent" },
  { command: 'dbclient', debian: 'dropbear-bin', suites: "Dropbear's client with the agent" },
  { command: 'mosh', debian: 'mosh', suites: 'mosh with the agent' },
  { command: 'rsync', debian: 'rsync', suites: 'rsync with the agent' },
  { command: 'chromium', debian: 'chromium', suites: 'the pages in a browser' },
  { command: 'certutil', debian: 'libnss3-tools', suites: 'certificates in a browser' },
  { command: 'git', debian: 'git', suites: 'git over ssh, and commits signed with the agent' },
];

/** PATH with the directories that hold servers: a plain user's may lack them. */
export function pathWithServers(): string {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])].join(delimiter);
}

export function missing(): Needed[] {
  const directories = pathWithServers().split(delimiter);
  return needed.filter(
    ({ command }) => !directories.some((directory) => existsSync(join(directory, command))),
  );
}

/** Whether this machine lets us install packages: Debian's tools are there, and we are root. */
export function canInstall(): boolean {
  return existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
}

/**
 * Installs by apt without starting a service. Returns null, or the last lines of what apt said when
 * it failed.
 */
export function install(packages: readonly string[]): string | null {
  const policy = '/usr/sbin/policy-rc.d';
  const ownPolicy = !existsSync(policy);
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return (
      apt(['update']) ?? apt(['install', '--yes', '--no-install-recommends', ...new Set(packages)])
    );
  } finally {
    if (ownPolicy) rmSync(policy);
  }
}

function apt(args: string[]): string | null {
  const { status, stdout, stderr } = spawnSync('apt-get', ['--quiet', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return status === 0 ? null : `${stdout}${stderr}`.trimEnd().split('\n').slice(-5).join('\n');
}
