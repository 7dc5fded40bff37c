/** What keeps the person's background programs on their operating system, and how it is told. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { BackgroundProgram } from './background-program.ts';
import { LAUNCHD_LABEL, launchdPlist } from './launchd-plist.ts';
import { systemdUnit } from './systemd-unit.ts';

/** A program and its arguments. */
export type Words = [file: string, ...args: string[]];

export interface ServiceKeeper {
  /** The file by which it knows the agent. */
  path: string;
  describe(program: BackgroundProgram): string;
  /** In this order, once the file is there: the agent runs now and after each login. */
  start: Words[];
  /** The same where an earlier one may be running. */
  startAgain: Words[];
  /** Before the file goes. */
  stop: Words;
  /** After the file went. */
  forget: Words[];
}

/** `null` for a system that has neither systemd nor launchd. */
export function serviceKeeper(platform: NodeJS.Platform): ServiceKeeper | null {
  if (platform === 'linux') return systemd();
  return platform === 'darwin' ? launchd() : null;
}

const systemctl = (...words: string[]): Words => ['systemctl', '--user', ...words];

function systemd(): ServiceKeeper {
  const unit = 'vmux-agent.service';
  const named = process.env['XDG_CONFIG_HOME'] ?? '';
  const config = isAbsolute(named) ? named : join(homedir(), '.config');
  const reload = systemctl('daemon-reload');
  const start = [reload, systemctl('enable', '--now', unit)];
  return {
    path: join(config, 'systemd', 'user', unit),
    describe: systemdUnit,
    start,
    startAgain: [...start, systemctl('restart', unit)],
    stop: systemctl('disable', '--now', unit),
    forget: [reload],
  };
}

function launchd(): ServiceKeeper {
  const path = join(homedir(), 'Library', 'LaunchAgents', `${LAUNCHD_LABEL}.plist`);
  const session = `gui/${process.getuid?.()}`;
  const stop: Words = ['launchctl', 'bootout', `${session}/${LAUNCHD_LABEL}`];
  const start: Words[] = [['launchctl', 'bootstrap', session, path]];
  return {
    path,
    describe: launchdPlist,
    start,
    startAgain: [stop, ...start],
    stop,
    forget: [],
  };
}
