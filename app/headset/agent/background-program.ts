/** How a service of the operating system starts the agent. */
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeOf } from '../../home.ts';
import { defaultSocket } from './ssh-config.ts';

export interface BackgroundProgram {
  /** The program and its arguments; the first two are absolute paths of Node and of the launcher. */
  words: string[];
  /** Variables that it needs beside those of the person's session. */
  environment: Record<string, string>;
}

/** Whatever stands in the first lines of a file that `vmux agent install` wrote. */
export const WRITTEN_BY_US = 'Written by vmux agent install';

/** This Node running this package, with the state directory and `socket` where they are unusual. */
export function agentInBackground(socket: string): BackgroundProgram {
  const home = homeOf('vmux');
  return {
    words: [
      process.execPath,
      launcherPath(),
      'agent',
      '--plain',
      ...(socket === defaultSocket() ? [] : ['--socket', socket]),
    ],
    environment: home === join(homedir(), '.vmux') ? {} : { VMUX_HOME: home },
  };
}

/** Whether what is at `path` is likely to vanish: npx's cache, a temporary directory. */
export function isPassing(path: string): boolean {
  const temporary = [tmpdir(), '/tmp', '/var/tmp', '/private/tmp'];
  return (
    path.split(sep).includes('_npx') ||
    temporary.some((folder) => path.startsWith(`${folder}${sep}`))
  );
}

/** In a checkout, or beside the `dist` that this file was compiled to. */
function launcherPath(): string {
  const [inCheckout, published] = ['../../bin/vmux.js', '../../../../app/bin/vmux.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  ) as [string, string];
  return existsSync(inCheckout) ? inCheckout : published;
}
