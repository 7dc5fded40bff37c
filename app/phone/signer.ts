/** `signer`, the phone's program. */
import { dispatch, type Command } from '../command-line.ts';

const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./commands/start.ts')).command,
  pair: async () => (await import('./commands/pair.ts')).command,
  identity: async () => (await import('./commands/identity.ts')).command,
  devices: async () => (await import('./commands/devices.ts')).command,
  hosts: async () => (await import('./commands/hosts.ts')).command,
  policy: async () => (await import('./commands/policy.ts')).command,
  receipts: async () => (await import('./commands/receipts.ts')).command,
  push: async () => (await import('./commands/push.ts')).command,
  web: async () => (await import('./commands/web.ts')).command,
  doctor: async () => (await import('./commands/doctor.ts')).command,
  log: async () => (await import('./commands/log.ts')).command,
  inspect: async () => (await import('./commands/inspect.ts')).command,
};

/** Resolves with the exit status. */
export function main(argv: string[]): Promise<number> {
  return dispatch(
    'signer',
    commands,
    async () => (await import('./guide.ts')).guide(),
    'signer keeps SSH keys on this device and signs only what you approve here.',
    argv,
  );
}
