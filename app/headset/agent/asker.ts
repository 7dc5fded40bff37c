import type { AgentConnection } from '../../../adapters/agent/agent-server.ts';
import { readHostKey } from '../../../adapters/keys/host-key.ts';
import type { Asker } from './key-order.ts';

/** What the binds of a socket say of who asks. A bind was verified when it came. */
export function askerOf({ binds }: Pick<AgentConnection, 'binds'>): Asker {
  const last = binds.at(-1);
  if (last === undefined) return { hostKey: null, isForwarded: false };
  if (last.isForwarding) return { hostKey: null, isForwarded: true };
  const isForwarded = binds.some(({ isForwarding }) => isForwarding);
  return { hostKey: readHostKey(last.hostKey)?.fingerprint ?? null, isForwarded };
}
