/**
 * What asks before `ssh-add -c` signs: OpenSSH's own dialog on a display that nobody sees, where
 * Return is pressed as soon as it is taken. The quickest yes there can be to a question that is
 * really shown.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canInstall, install } from '../support/packages.ts';

export interface Askpass {
  /** What ssh-agent has to be started with. */
  env: Record<string, string>;
  stop: () => Promise<void>;
}

const NEEDED = ['Xvfb', 'ssh-askpass', 'xdotool'];

const has = (command: string) => existsSync(join('/usr/bin', command));

/** One that says yes and shows nothing: what the fork alone costs. */
export function silentAskpass(directory: string): Askpass {
  const file = join(directory, 'silent-askpass');
  write(file, 'exit 0');
  return { env: using(file, ':0'), stop: async () => {} };
}

/** Null where there is no such dialog or no display for it, and it cannot be installed. */
export async function answeredAskpass(directory: string): Promise<Askpass | null> {
  if (!NEEDED.every(has) && canInstall()) install(['xvfb', 'ssh-askpass', 'xdotool']);
  if (!NEEDED.every(has)) return null;
  const display = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const exited = once(display, 'exit');
  const said = display.stdio[3];
  if (!said) throw new Error('Xvfb has no pipe to name its display');
  const named = await Promise.race([once(said, 'data'), exited]);
  const number = String(named[0]).trim();
  if (display.exitCode !== null) return null;
  const file = join(directory, 'answered-askpass');
  write(
    file,
    `ssh-askpass "$@" & dialog=$!
while kill -0 $dialog; do xdotool key Return; done
wait $dialog`,
  );
  return {
    env: using(file, `:${number}`),
    async stop() {
      display.kill('SIGTERM');
      await exited;
    },
  };
}

const using = (file: string, display: string) => ({
  SSH_ASKPASS: file,
  SSH_ASKPASS_REQUIRE: 'force',
  DISPLAY: display,
});

function write(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\nexec 2>/dev/null\n${script}\n`);
  chmodSync(file, 0o700);
}
