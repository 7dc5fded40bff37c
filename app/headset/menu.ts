/** Bare `vmux`: the saved hosts and the connection form. */
import { openLog } from '../running.ts';
import { ask } from '../terminal/ask.ts';
import { say } from '../terminal/say.ts';
import { WrongUsage } from '../trouble.ts';
import { connect, beginForShell, shellOn } from './commands/connect.ts';
import { checkNewName, hostLine, parseTerm } from './commands/hosts.ts';
import { pairedPhones, savedHosts, saveHost, type SavedHost } from './records.ts';
import { parseTarget } from './target.ts';

/** Resolves with the exit status. */
export async function menu(): Promise<number> {
  const log = openLog('vmux');
  const hosts = savedHosts(log);
  const isPaired = pairedPhones(log).length > 0;
  log.close();

  if (!isPaired) {
    say('No phone is paired with this headset yet.');
    say('hint: run "signer pair" on the phone and "vmux pair" here');
  }
  hosts.forEach((host, i) => say(`${String(i + 1).padStart(3)}  ${hostLine(host)}`));
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    if (hosts.length === 0) say('No host is saved yet.\nhint: vmux hosts add NAME user@host');
    say('hint: vmux connect NAME|user@host[:port]');
    return 0;
  }
  const answer = await ask(
    hosts.length === 0 ? 'connect to user@host[:port]: ' : 'number, or user@host[:port]: ',
  );
  const choice = answer?.trim() ?? '';
  if (choice === '') return 0;
  const isNumber = /^\d+$/.test(choice);
  const saved =
    (isNumber ? hosts[Number(choice) - 1] : undefined) ?? hosts.find(({ name }) => name === choice);
  if (saved === undefined && isNumber) throw new WrongUsage(`no host has the number ${choice}`);
  const host = saved ?? (await form(choice));
  if (host === null) return 0;
  const running = beginForShell();
  if (running === null) return 255;
  return connect(running, shellOn(host));
}

/** The connection form: what a new host needs, and whether to keep it. `null` on Ctrl-C. */
async function form(where: string): Promise<SavedHost | null> {
  const target = parseTarget(where);
  const typed = await ask('TERM (xterm-256color): ');
  if (typed === null) return null;
  const term = parseTerm(typed.trim() || 'xterm-256color');
  say('authentication: Remote Signer');
  const host: SavedHost = {
    name: target.host,
    ...target,
    term,
    authentication: 'remote-signer',
    signerTimeout: null,
  };
  const label = await ask('save it as (empty: not): ');
  if (label === null) return null;
  const name = label.trim();
  if (name === '') return host;
  const log = openLog('vmux');
  try {
    checkNewName(log, name);
    saveHost(log, { ...host, name });
  } finally {
    log.close();
  }
  return { ...host, name };
}
