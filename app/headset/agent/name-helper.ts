/**
 * The program that ssh runs as its KnownHostsCommand. It cannot be a Node program: ssh waits for
 * it twice at every login.
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareHome } from '../../home.ts';
import { Trouble } from '../../trouble.ts';

/** Where the helper is below a state directory. */
export const nameHelperPath = (home: string) => join(home, 'agent', 'name-helper');

/** Where the helper puts its notes, for `readLoginNotes`. */
export const loginNotesDirectory = (home: string) => join(home, 'agent', 'notes');

/** Where the helper's arguments begin that come from outside, in terms of ssh_config(5), TOKENS. */
export const NAME_HELPER_TOKENS = '-- %I %H %n %p %r %f';

const script = `#!/bin/sh
# Written by vmux agent. ssh runs it as its KnownHostsCommand:
#   name-helper SOCKET ${NAME_HELPER_TOKENS}
# Notes how the server of a login was named, for the agent that listens at SOCKET. Prints nothing on
# standard output, which ssh takes for known_hosts, and never fails, which would end the login.
[ $# -eq 8 ] && [ "$2" = -- ] && [ "$3" = HOSTNAME ] && [ -S "$1" ] || exit 0

umask 077
set -C
code=
for word in $(od -An -N2 -tu2 /dev/urandom 2>/dev/null); do code=0$word; done
code=\${code#"\${code%??}"}
case $code in [0-9][0-9]) ;; *) exit 0 ;; esac

{
  printf '%s\\n' 'vmux-login-note 1' "$PPID" "$4" "$5" "$6" "$7" "$8" "$code" end \\
    >"\${0%/*}/notes/$$-$code"
} 2>/dev/null && [ -t 2 ] && printf 'Waiting for iPhone signer… code %s\\n' "$code" >&2
exit 0
`;

/**
 * Makes sure that the helper is in the state directory, as this release has it (0700). Returns its
 * path. An ssh that is running the old one goes on with that.
 *
 * @throws {Trouble} `stateUnusable`
 */
export function installNameHelper(home: string): string {
  prepareHome(home);
  const path = nameHelperPath(home);
  try {
    for (const directory of [join(home, 'agent'), loginNotesDirectory(home)]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      chmodSync(directory, 0o700);
    }
    if (textOf(path) !== script) {
      const temporary = `${path}.${randomUUID()}.new`;
      writeFileSync(temporary, script, { mode: 0o700, flag: 'wx' });
      renameSync(temporary, path);
    }
    chmodSync(path, 0o700);
  } catch (error) {
    throw new Trouble('stateUnusable', (error as Error).message);
  }
  return path;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
