import { askOpenSsh } from '../../../adapters/ssh/ask-openssh.ts';
import {
  asTrouble,
  expectArguments,
  failureLines,
  parse,
  parseSeconds,
  type Command,
} from '../../command-line.ts';
import { WrongUsage } from '../../trouble.ts';
import type { Endpoint } from '../../../machines/ports.ts';
import { begin } from '../../running.ts';
import type { Running } from '../../running.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import type { SavedHost, Target } from '../records.ts';
import type { ConnectionControl } from '../connect-in-terminal.ts';
import { findSavedHost, parseEndpoint, parseTarget } from '../target.ts';

export const command: Command = {
  usage: 'NAME|user@host[:port] [options] [-- COMMAND]',
  summary: 'log in to a server; the phone approves',
  help: `NAME is a saved host (vmux hosts), an ssh_config alias, or user@host[:port].
With COMMAND, that command is run instead of the shell; its exit status is vmux's.

options:
  --timeout SECONDS          time to approve on the phone (10)
  --phone ADDRESS:PORT       dial the phone there too, for networks without multicast
  --accept-new-host-key      take an unknown host key without a question; a changed one never
  -t                         give COMMAND a terminal
  --plain                    plain lines, no redraws

exit status: the remote command's; 128+n when a signal ended it; 255 when the connection failed.`,
  run,
};

export interface ConnectChoices {
  target: Target;
  saved: SavedHost | null;
  command: string | null;
  terminal: boolean;
  plain: boolean;
  acceptNewHostKey: boolean;
  signerTimeout: number | null;
  phone: Endpoint | null;
}

/** A shell on a host, as from the menu: nothing was said on a command line. */
export const shellOn = (host: SavedHost): ConnectChoices => ({
  target: host,
  saved: host,
  command: null,
  terminal: false,
  plain: false,
  acceptNewHostKey: false,
  signerTimeout: host.signerTimeout,
  phone: null,
});

async function run(args: string[]): Promise<number> {
  const dashes = args.indexOf('--');
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const words = dashes < 0 ? [] : args.slice(dashes + 1);
  const { values, positionals } = parse(own, {
    timeout: { type: 'string' },
    phone: { type: 'string' },
    'accept-new-host-key': { type: 'boolean', default: false },
    t: { type: 'boolean', short: 't', default: false },
    plain: { type: 'boolean', default: false },
  });
  expectArguments(positionals, 1);
  if (dashes >= 0 && words.length === 0) throw new WrongUsage('a command is missing after --');
  const where = positionals[0] ?? '';
  const typed = parseTarget(where);
  const phone = values.phone === undefined ? null : parseEndpoint(values.phone);
  const timeout = parseSeconds(values.timeout, '--timeout');
  const running = beginForShell();
  if (running === null) return 255;
  const saved = findSavedHost(running.log, where);
  return connect(running, {
    target: saved ?? typed,
    saved,
    command: words.length === 0 ? null : words.join(' '),
    terminal: values.t,
    plain: values.plain,
    acceptNewHostKey: values['accept-new-host-key'],
    signerTimeout: timeout ?? saved?.signerTimeout ?? null,
    phone,
  });
}

/** As `ssh` does: its own failures end with 255. `null` when one was reported. */
export function beginForShell(): Running | null {
  try {
    return begin('vmux');
  } catch (error) {
    const trouble = asTrouble(error);
    if (trouble === null) throw error;
    const { reason, detail } = trouble;
    process.stderr.write(`vmux: ${failureLines(reason, detail).join('\n')}\n`);
    return null;
  }
}

/** Ends the process's records too. Resolves with the exit status. `started`: `connectInTerminal`. */
export async function connect(
  running: Running,
  choices: ConnectChoices,
  started?: (control: ConnectionControl) => void,
): Promise<number> {
  const { saved } = choices;
  if (saved !== null && saved.authentication !== 'remote-signer') {
    process.stderr.write(
      `vmux: the authentication method "${saved.authentication}" of ${showForeign(saved.name)} is not supported yet.\n` +
        `hint: vmux hosts edit ${showForeign(saved.name)} --authentication remote-signer\n`,
    );
    running.end();
    return 255;
  }
  try {
    // OpenSSH's tools work while the rest of this program is being loaded.
    const asked = askOpenSsh(choices.target);
    const { connectInTerminal } = await import('../connect-in-terminal.ts');
    return await connectInTerminal(running, choices, asked, started);
  } finally {
    running.end();
  }
}
