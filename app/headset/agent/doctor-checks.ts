/** What `vmux doctor` looks at of the agent, and of the stock ssh that is to use it. */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  askAgent,
  encodeRequestIdentities,
  readIdentitiesAnswer,
} from '../../../adapters/agent/agent-client.ts';
import type { AgentIdentity } from '../../../adapters/agent/agent-server.ts';
import {
  agentOptions,
  openSshVersion,
  programOf,
  type AgentOptions,
} from '../../../adapters/ssh/agent-options.ts';
import { failures } from '../../../machines/failures.ts';
import type { PublicIdentity } from '../../../machines/ports.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import type { Running } from '../../running.ts';
import { bad, good, measure, type Check, type Finding } from '../../check.ts';
import { offeredIdentities } from '../records.ts';
import { isForAgents } from './key-order.ts';
import { nameHelperPath } from './name-helper.ts';
import { checkSignature } from './test-signature.ts';

/** Milliseconds for an agent to list its keys, and for ssh to read its configuration. */
const PATIENCE = 3_000;

/** Stands for any host, where none was named: `Host *` means it too. */
const ANY_HOST = 'host.invalid';

const START_IT = 'Start it: vmux agent, or for good vmux agent install.';

export interface AgentWhereabouts {
  /** An absolute path. */
  socket: string;
  /** The host that ssh is asked about, as a person would type it; `null`: any. */
  host: string | null;
}

/**
 * Whether there is any sign of an agent at `socket`, so that a look at it is no noise: something
 * lies there, or the environment points there.
 */
export function isAgentExpected(socket: string): boolean {
  const named = process.env['SSH_AUTH_SOCK'] ?? '';
  return (
    (named !== '' && resolve(named) === socket) ||
    lstatSync(socket, { throwIfNoEntry: false }) !== undefined
  );
}

/** The agent's socket alone. */
export const checkSocket = (socket: string): Promise<Check> =>
  measure('agent', () => lookAtSocket(socket));

/** Everything, a test signature last: the phone's owner is asked for it. */
export async function* agentChecks(
  running: Running,
  { socket, host }: AgentWhereabouts,
): AsyncGenerator<Check> {
  yield await checkSocket(socket);
  const options = await agentOptions(host ?? ANY_HOST, AbortSignal.timeout(PATIENCE));
  yield await measure('SSH_AUTH_SOCK', () => lookAtEnvironment(socket, options));
  yield await measure('ssh_config', () => lookAtOptions(socket, running.home, options));
  yield await measure('ssh -V', lookAtVersion);
  const identities = await listIdentities(socket);
  if (identities === null) return;
  const passkeys = offeredIdentities(running.log).filter((one) => !isForAgents(one));
  if (passkeys.length > 0) yield await measure('passkeys', () => lookAtPasskeys(passkeys));
  yield await measure('agent keys', () => lookAtIdentities(identities));
  const [first] = identities;
  if (first === undefined) return;
  yield await measure('signature', () => checkSignature(running.log, socket, first));
}

async function lookAtSocket(socket: string): Promise<Finding> {
  const shown = showForeign(socket, 160);
  const stats = lstatSync(socket, { throwIfNoEntry: false });
  if (stats === undefined) return bad(`nothing at ${shown}`, START_IT);
  if (!stats.isSocket()) return bad(`${shown} is no socket`, 'Move it aside, and start the agent.');
  const directory = statSync(dirname(socket));
  const own = process.getuid?.();
  if (stats.uid !== own || directory.uid !== own) {
    return bad(`${shown} belongs to another user`, 'Do not use it. Start your own: vmux agent.');
  }
  if (((stats.mode | directory.mode) & 0o077) !== 0) {
    return bad(
      `others can reach ${shown}`,
      `chmod 700 ${showForeign(dirname(socket), 160)}, and start the agent again.`,
    );
  }
  const identities = await listIdentities(socket);
  return identities === null
    ? bad(`nothing answers at ${shown}`, START_IT)
    : good(`${shown} answers, yours alone`);
}

async function listIdentities(socket: string): Promise<AgentIdentity[] | null> {
  const signal = AbortSignal.timeout(PATIENCE);
  const answer = await askAgent(socket, encodeRequestIdentities(), signal);
  return answer === null ? null : readIdentitiesAnswer(answer);
}

function lookAtEnvironment(socket: string, options: AgentOptions | null): Finding {
  const named = process.env['SSH_AUTH_SOCK'] ?? '';
  if (named !== '' && resolve(named) === socket) return good('points to the agent');
  const what = named === '' ? 'not set' : `another agent: ${showForeign(named, 160)}`;
  if (options !== null && isAgent(options.identityAgent, socket)) {
    return good(`${what}; ssh does not need it, ssh-add and git signing do`);
  }
  return bad(what, `export SSH_AUTH_SOCK='${showForeign(socket, 160)}'`);
}

function lookAtOptions(socket: string, home: string, options: AgentOptions | null): Finding {
  const hint = 'Add the lines that vmux agent ssh-config prints to ~/.ssh/config.';
  if (options === null) return bad('ssh -G does not answer', failures.sshConfigUnusable.hint);
  const { identityAgent, knownHostsCommand } = options;
  const isInEnvironment = resolve(process.env['SSH_AUTH_SOCK'] ?? '') === socket;
  if (!isAgent(identityAgent, socket) && !(identityAgent === null && isInEnvironment)) {
    const other = identityAgent === null ? 'no IdentityAgent' : `IdentityAgent ${identityAgent}`;
    return bad(`${showForeign(other, 200)}: ssh asks another agent, or none`, hint);
  }
  if (knownHostsCommand === null) {
    return bad('no KnownHostsCommand: no name and no code for the phone’s sheet', hint);
  }
  const helper = programOf(knownHostsCommand);
  if (helper !== nameHelperPath(home)) {
    return bad(`KnownHostsCommand is ${showForeign(helper, 160)}, not the helper`, hint);
  }
  if (!knownHostsCommand.replaceAll('%%', '%').includes(socket)) {
    return bad('the KnownHostsCommand line names another socket', hint);
  }
  try {
    accessSync(helper, constants.X_OK);
  } catch {
    return bad('the helper of KnownHostsCommand cannot be run', 'Run vmux agent ssh-config again.');
  }
  return good('IdentityAgent and KnownHostsCommand are in place');
}

/** ssh_config(5): `SSH_AUTH_SOCK` is the variable's value, and `%%` a percent sign. */
function isAgent(identityAgent: string | null, socket: string): boolean {
  if (identityAgent === null) return false;
  const path =
    identityAgent === 'SSH_AUTH_SOCK'
      ? (process.env['SSH_AUTH_SOCK'] ?? '')
      : identityAgent.replaceAll('%%', '%');
  return path !== '' && resolve(path) === socket;
}

async function lookAtVersion(): Promise<Finding> {
  const version = await openSshVersion(AbortSignal.timeout(PATIENCE));
  if (version === null) return bad('no OpenSSH here', 'Other programs prove no destination.');
  const { name, major, minor } = version;
  const isAtLeast = (wantedMajor: number, wantedMinor: number) =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  const shown = showForeign(name, 40);
  if (!isAtLeast(8, 9)) {
    return bad(
      `${shown} cannot prove destinations`,
      'Every sheet will say “Not proven”. OpenSSH 8.9 or later proves to the phone where a login goes.',
    );
  }
  return good(
    isAtLeast(10, 3)
      ? `${shown} proves destinations`
      : `${shown} proves destinations (passkeys need 10.3 there)`,
  );
}

/** That they are left out is no fault of anybody's. */
function lookAtPasskeys(passkeys: PublicIdentity[]): Finding {
  const labels = passkeys.map(({ label }) => showForeign(label, 40)).join(', ');
  return good(
    `not in the agent: ${labels} (ssh before 10.3 refuses their signatures there; vmux connect uses them)`,
  );
}

function lookAtIdentities(identities: AgentIdentity[]): Finding {
  return identities.length === 0
    ? bad('none', failures.noIdentity.hint)
    : good(identities.map(({ comment }) => showForeign(comment, 40)).join(', '));
}
