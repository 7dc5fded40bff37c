import { expectArguments, parse, parseSeconds, type Command } from '../../command-line.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { hostKeyName } from '../../../adapters/ssh/known-hosts.ts';
import { resolveHost } from '../../../adapters/ssh/ssh-config.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import {
  forgetHostKeys,
  removeHost,
  savedHosts,
  saveHost,
  type AuthenticationMethod,
  type SavedHost,
} from '../records.ts';
import { findSavedHost, parseTarget } from '../target.ts';

export const command: Command = {
  usage: 'list | add NAME user@host[:port] | edit NAME | remove NAME | forget-key HOST[:PORT]',
  summary: 'saved hosts',
  help: `  vmux hosts list [--json]
  vmux hosts add NAME user@host[:port] [options]
  vmux hosts edit NAME [user@host[:port]] [options]
  vmux hosts remove NAME
  vmux hosts forget-key HOST[:PORT]   forget the host key that was confirmed here

options:
  --authentication METHOD   remote-signer (default), password, device-key or ssh-agent;
                            only remote-signer is built
  --term TERM               xterm-256color unless given
  --timeout SECONDS         time to approve on the phone (10)`,
  run,
};

const methods = ['remote-signer', 'password', 'device-key', 'ssh-agent'] as const;

function parseMethod(text: string): AuthenticationMethod {
  const method = methods.find((known) => known === text);
  if (method === undefined)
    throw new WrongUsage(`--authentication is one of ${methods.join(', ')}`);
  return method;
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    authentication: { type: 'string' },
    term: { type: 'string' },
    timeout: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const [action = 'list', name = '', where] = positionals;
  const changes = {
    ...(values.authentication !== undefined && {
      authentication: parseMethod(values.authentication),
    }),
    ...(values.term !== undefined && { term: parseTerm(values.term) }),
    ...(values.timeout !== undefined && {
      signerTimeout: parseSeconds(values.timeout, '--timeout'),
    }),
  };
  const bounds: Record<string, [number, number]> = {
    list: [0, 1],
    add: [3, 3],
    edit: [2, 3],
    remove: [2, 2],
    'forget-key': [2, 2],
  };
  const [min, max] = bounds[action] ?? [];
  if (min === undefined) throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, min, max);

  const log = openLog('vmux');
  try {
    if (action === 'list') list(log, values.json);
    else if (action === 'add') add(log, name, where ?? '', changes);
    else if (action === 'edit') edit(log, name, where, changes);
    else if (action === 'remove') {
      known(log, name);
      removeHost(log, name);
    } else {
      const count = await forgetKeysOf(log, name);
      process.stdout.write(`${count} host ${count === 1 ? 'key' : 'keys'} forgotten\n`);
    }
  } finally {
    log.close();
  }
  return 0;
}

/** Keys are pinned under what ssh_config makes of the name. */
async function forgetKeysOf(log: EventLog, name: string): Promise<number> {
  const resolved = await resolveHost(findSavedHost(log, name) ?? parseTarget(name));
  if ('failure' in resolved) throw new Trouble(resolved.failure.reason, resolved.failure.detail);
  return forgetHostKeys(log, hostKeyName(resolved), resolved.port);
}

/** A terminal type. @throws {WrongUsage} */
export function parseTerm(term: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(term)) throw new WrongUsage('no usable --term');
  return term;
}

function known(log: EventLog, name: string): SavedHost {
  const host = findSavedHost(log, name);
  if (host === null) throw new WrongUsage(`no host is saved as ${showForeign(name)}`);
  return host;
}

/** @throws {WrongUsage} when it is no name, or taken. */
export function checkNewName(log: EventLog, name: string): void {
  if (/^\d+$/.test(name) || !/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(name)) {
    throw new WrongUsage(
      'a name has letters, digits, dots, dashes and underscores, and not digits alone',
    );
  }
  if (findSavedHost(log, name) !== null) {
    throw new WrongUsage(`${name} is saved already; vmux hosts edit changes it`);
  }
}

function add(log: EventLog, name: string, where: string, changes: Partial<SavedHost>): void {
  checkNewName(log, name);
  saveHost(log, {
    name,
    ...parseTarget(where),
    term: 'xterm-256color',
    authentication: 'remote-signer',
    signerTimeout: null,
    ...changes,
  });
}

function edit(
  log: EventLog,
  name: string,
  where: string | undefined,
  changes: Partial<SavedHost>,
): void {
  const target = where === undefined ? {} : parseTarget(where);
  saveHost(log, { ...known(log, name), ...target, ...changes });
}

function list(log: EventLog, json: boolean): void {
  const hosts = savedHosts(log);
  if (json) process.stdout.write(`${showJson(hosts, 2)}\n`);
  else if (hosts.length === 0) {
    process.stdout.write('no host is saved yet\nhint: vmux hosts add NAME user@host\n');
  } else for (const host of hosts) process.stdout.write(`${hostLine(host)}\n`);
}

/** One line about a saved host. */
export function hostLine({ name, host, port, user, authentication }: SavedHost): string {
  const where = `${user === null ? '' : `${showForeign(user)}@`}${showForeign(host, 80)}`;
  return `${showForeign(name).padEnd(16)}  ${where}${port === null ? '' : `:${port}`}  ${authentication}`;
}
