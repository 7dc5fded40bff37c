/** `vmux`, the headset's program. */
import { dispatch, type Command } from '../command-line.ts';

const commands: Record<string, () => Promise<Command>> = {
  connect: async () => (await import('./commands/connect.ts')).command,
  hosts: async () => (await import('./commands/hosts.ts')).command,
  pair: async () => (await import('./commands/pair.ts')).command,
  phones: async () => (await import('./commands/phones.ts')).command,
  agent: async () => (await import('./commands/agent.ts')).command,
  log: async () => (await import('./commands/log.ts')).command,
  doctor: async () => (await import('./commands/doctor.ts')).command,
  inspect: async () => (await import('./commands/inspect.ts')).command,
};

/** Resolves with the exit status. */
export function main(argv: string[]): Promise<number> {
  return dispatch(
    'vmux',
    commands,
    async () => (await import('./menu.ts')).menu(),
    'vmux logs in to servers with keys that live in your phone; you approve each login there.',
    argv,
  );
}
