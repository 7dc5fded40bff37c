import { resolve } from 'node:path';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { defaultSocket } from '../agent/ssh-config.ts';
import { parseEndpoint } from '../target.ts';

export const command: Command = {
  usage: '[ssh-config | install | uninstall | requests] [options]',
  summary: 'an agent for ssh, git and scp: the phone approves each signature',
  help: `  vmux agent               run it here, until it is interrupted
  vmux agent ssh-config    the lines for ~/.ssh/config
  vmux agent install       run it in the background, now and at each login
  vmux agent uninstall     end that
  vmux agent requests      what waits for the phone now, with the codes to compare or to type there

options:
  --socket PATH          where it listens (~/.ssh/vmux-agent.sock)
  --phone ADDRESS:PORT   dial the phone there too, for networks without multicast`,
  run,
};

const actions: Record<string, (socket: string) => Promise<number>> = {
  'ssh-config': async (socket) => (await import('../agent/ssh-config.ts')).printSshConfig(socket),
  install: async (socket) => (await import('../agent/install.ts')).installAgent(socket),
  uninstall: async (socket) => (await import('../agent/install.ts')).uninstallAgent(socket),
  requests: async () => (await import('../agent/waiting-requests.ts')).printWaitingRequests(),
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    socket: { type: 'string' },
    phone: { type: 'string' },
  });
  expectArguments(positionals, 0, 1);
  if (values.socket === '') throw new WrongUsage('--socket takes a path');
  const socket = values.socket === undefined ? defaultSocket() : resolve(values.socket);
  const [action] = positionals;
  if (action === undefined) {
    const { serveAgent } = await import('../agent/serve.ts');
    const phone = values.phone === undefined ? null : parseEndpoint(values.phone);
    return serveAgent({ socket, phone });
  }
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (act === undefined) throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  if (values.phone !== undefined) throw new WrongUsage('--phone is for the agent itself');
  return act(socket);
}
