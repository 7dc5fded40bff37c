/** `vmux agent ssh-config`: the lines by which stock ssh finds the agent, and names servers to it. */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../../home.ts';
import { say } from '../../terminal/say.ts';
import { WrongUsage } from '../../trouble.ts';
import { installNameHelper, NAME_HELPER_TOKENS, nameHelperPath } from './name-helper.ts';

/** Where the agent listens unless it is told otherwise: an absolute path. */
export const defaultSocket = () => join(homedir(), '.ssh', 'vmux-agent.sock');

/**
 * Lines of ssh_config(5), each with its newline. Both paths are absolute.
 *
 * @throws {WrongUsage} when a path has characters that such a line cannot hold.
 */
export function sshConfigLines(socket: string, helper: string): string {
  // ssh expands %-tokens in the arguments of the command, but not in its own path.
  const command = [quoted(helper), quoted(percentsDoubled(socket)), NAME_HELPER_TOKENS].join(' ');
  return [
    'Host *',
    `  IdentityAgent ${quoted(percentsDoubled(fromHome(socket)))}`,
    `  KnownHostsCommand ${command}`,
    '',
  ].join('\n');
}

/** Installs the helper that the lines name, and prints them. Resolves with the exit status. */
export async function printSshConfig(socket: string): Promise<number> {
  const home = homeOf('vmux');
  const lines = sshConfigLines(socket, nameHelperPath(home));
  installNameHelper(home);
  process.stdout.write(lines);
  say('hint: these lines belong at the end of ~/.ssh/config; what it says above them goes first');
  say('hint: "IdentityAgent SSH_AUTH_SOCK" above them keeps your other agent for a host');
  say('hint: ssh 8.9 or later proves to the phone which server it is');
  return 0;
}

/** `~/…` where ssh, which goes by the user database and not by HOME, means the same by it. */
export function fromHome(path: string): string {
  const home = userInfo().homedir;
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

const percentsDoubled = (text: string) => text.replaceAll('%', '%%');

function quoted(path: string): string {
  if (/["\\\p{Cc}]|\$\{/u.test(path)) {
    throw new WrongUsage(
      'ssh_config cannot name a path with a quote, a backslash, ${ or a control',
    );
  }
  return /^[\w~/.,:+@%-]+$/.test(path) ? path : `"${path}"`;
}
