/** Bare `vmux`: the saved hosts and the connection form. */
import { begin, openLog } from '../running.ts';
import { ask } from '../terminal/ask.ts';
import { say } from '../terminal/say.ts';
import { connect, beginForShell } from './commands/connect.ts';
import { hostLine } from './commands/hosts.ts';
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
  const choice = await ask(
    hosts.length === 0 ? 'connect to user@host[:port]: ' : 'number, or user@host[:port]: ',
  );
  if (choice === null || choice.trim() === '') return 0;
  const saved = /^\d+$/.test(choice.trim()) ? hosts[Number(choice) - 1] : undefined;
  const host = saved ?? hosts.find(({ name }) => name === choice.trim()) ?? (await form(choice));
  const running = beginForShell();
  if (running === null) return 255;
  return connect(running, {
    target: host,
    saved: host,
    command: null,
    terminal: false,
    plain: false,
    acceptNewHostKey: false,
    signerTimeout: host.signerTimeout,
    phone: null,
  });
}

/** The connection form: what a new host needs, and whether to keep it. */
async function form(where: string): Promise<SavedHost> {
  const target = parseTarget(where.trim());
  const term = (await ask('TERM (xterm-256color): '))?.trim() || 'xterm-256color';
  say('authentication: Remote Signer');
  const host: SavedHost = {
    name: target.host,
    ...target,
    term,
    authentication: 'remote-signer',
    signerTimeout: null,
  };
  const name = (await ask('save it as (empty: not): '))?.trim();
  if (!name) return host;
  const running = begin('vmux');
  saveHost(running.log, { ...host, name });
  running.end();
  return { ...host, name };
}
