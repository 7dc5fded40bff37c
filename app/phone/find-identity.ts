import type { EventLog } from '../../adapters/event-log/store.ts';
import { showForeign } from '../terminal/foreign-text.ts';
import { WrongUsage } from '../trouble.ts';
import { identities, type Identity } from './records.ts';

/** By label or fingerprint. @throws {WrongUsage} when there is none, or more than one. */
export function findIdentity(log: EventLog, label: string): Identity {
  const found = identities(log).filter(
    (identity) => identity.label === label || identity.fingerprint === label,
  );
  const [identity] = found;
  if (identity === undefined) throw new WrongUsage(`no identity is called ${showForeign(label)}`);
  if (found.length > 1) {
    throw new WrongUsage(`${found.length} identities are called so; give the fingerprint`);
  }
  return identity;
}
