/** Ends a pairing from the headset's side, and tells the phone if it can be reached soon. */
import type { DeviceIdentity } from '../../adapters/link/certificate.ts';
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import type { Running } from '../running.ts';
import { startPhoneLink } from './phone-link.ts';
import { removePhone, type PairedPhone } from './records.ts';

/** How long the phone is sought. Milliseconds. */
const PATIENCE = 2_500;

/** Whether the phone was told. The pairing is gone here in either case. */
export async function tellUnpaired(
  running: Running,
  identity: DeviceIdentity,
  phone: PairedPhone,
): Promise<boolean> {
  const vault = createRequestVault();
  const phoneLink = startPhoneLink({ running, identity, vault, given: null });
  const { actor } = phoneLink.link;
  const linked = await new Promise<boolean>((resolve) => {
    const giveUp = setTimeout(() => resolve(false), PATIENCE);
    const watching = actor.subscribe(({ value, context }) => {
      const isUp = typeof value === 'object' && value.active === 'up';
      if (!isUp || context.phone?.id !== phone.id) return;
      clearTimeout(giveUp);
      watching.unsubscribe();
      resolve(true);
    });
  });
  if (linked) phoneLink.unpair(phone.id);
  else removePhone(running.log, phone.id, 'headset');
  await phoneLink.close();
  return linked;
}
