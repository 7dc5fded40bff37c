import type { EventLog } from '../../../adapters/event-log/store.ts';
import { TIME_LIMITS, type Policy } from '../../../machines/phone/policy.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { hostPins } from '../host-pins.ts';
import { policyOf, savePolicy } from '../settings.ts';

export const command: Command = {
  usage:
    '[show [--json] | require-proof on|off | forwarding never|ask|listed | listed add|remove HOST | time-limit SECONDS]',
  summary: 'which logins this phone approves at all',
  help: `  signer policy [show] [--json]
  signer policy require-proof on|off            only logins that prove where they go
  signer policy forwarding never|ask|listed     requests through a forwarded agent (ssh -A):
                                                none, each with its code, or only through listed hosts
  signer policy listed add|remove HOST          hosts through which the agent may be forwarded;
                                                HOST as in signer hosts list
  signer policy time-limit SECONDS              a sheet stays no longer than that: 5 to 120

It counts within a second, also for what waits already.`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'show', value = '', host = ''] = positionals;
  const log = openLog('signer');
  try {
    const policy = policyOf(log);
    if (action === 'show') {
      expectArguments(positionals, 0, 1);
      show(policy, values.json);
      return 0;
    }
    expectArguments(positionals, action === 'listed' ? 3 : 2);
    savePolicy(log, { ...policy, ...changed(log, policy, action, value, host) });
  } finally {
    log.close();
  }
  return 0;
}

/** @throws {WrongUsage} */
function changed(
  log: EventLog,
  { listed }: Policy,
  action: string,
  value: string,
  host: string,
): Partial<Policy> {
  if (action === 'time-limit') return { timeLimit: parseLimit(value) };
  switch (`${action} ${value}`) {
    case 'require-proof on':
      return { requireProof: true };
    case 'require-proof off':
      return { requireProof: false };
    case 'forwarding never':
    case 'forwarding ask':
    case 'forwarding listed':
      return { forwarding: value as Policy['forwarding'] };
    case 'listed add':
      return { listed: [...others(listed, host), knownName(log, host)] };
    case 'listed remove':
      if (others(listed, host).length === listed.length) {
        throw new WrongUsage(`${showForeign(host, 80)} is not listed`);
      }
      return { listed: others(listed, host) };
    default:
      throw new WrongUsage(`unknown policy: ${showForeign(`${action} ${value}`.trim())}`);
  }
}

function parseLimit(text: string): number {
  const seconds = Number(text);
  const { shortest, longest } = TIME_LIMITS;
  if (!/^\d{1,3}$/.test(text) || seconds < shortest || seconds > longest) {
    throw new WrongUsage(`a time limit is ${shortest} to ${longest} seconds`);
  }
  return seconds;
}

const others = (listed: string[], host: string) =>
  listed.filter((name) => name.toLowerCase() !== host.toLowerCase());

/** A name that no pin has lists nothing. */
function knownName(log: EventLog, host: string): string {
  const isKnown = hostPins(log).some(
    ({ name, isCa }) => !isCa && name.toLowerCase() === host.toLowerCase(),
  );
  if (!isKnown) {
    throw new WrongUsage(`no host is known as ${showForeign(host, 80)}; see signer hosts`);
  }
  return host;
}

function show(policy: Policy, json: boolean): void {
  if (json) {
    process.stdout.write(`${showJson(policy, 2)}\n`);
    return;
  }
  const listed = policy.listed.map((name) => showForeign(name, 80)).join(', ');
  process.stdout.write(
    [
      `require-proof  ${policy.requireProof ? 'on' : 'off'}`,
      `forwarding     ${policy.forwarding}`,
      `listed         ${listed === '' ? '(none)' : listed}`,
      `time-limit     ${policy.timeLimit} s`,
      '',
    ].join('\n'),
  );
}
