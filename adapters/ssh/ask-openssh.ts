import { lookUp, type KnownHost } from './known-hosts.ts';
import { resolveHost, type Resolved, type Target, type Unusable } from './ssh-config.ts';

/** What OpenSSH's own tools make of a target: both under way, neither rejects. */
export interface Asked {
  resolved: Promise<Resolved | Unusable>;
  known: Promise<KnownHost[] | Unusable>;
}

/** Asks `ssh -G`, then `ssh-keygen -F`. */
export function askOpenSsh(target: Target): Asked {
  const resolved = resolveHost(target);
  const known = resolved.then((found) =>
    'failure' in found ? found : lookUp(found, target.signal),
  );
  return { resolved, known };
}
