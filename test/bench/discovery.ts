/** How soon a headset that has just begun is linked to its phone. */
import { createRequestVault } from '../../adapters/ssh/request-vault.ts';
import { deviceIdentity } from '../../app/device-identity.ts';
import { startPhoneLink } from '../../app/headset/phone-link.ts';
import { begin } from '../../app/running.ts';
import { linkUp } from './login.ts';
import { timed } from './measure.ts';

/** From a fresh link machine until the link is up. Milliseconds. */
export async function timeToLink(home: string): Promise<number> {
  const running = begin('vmux', home);
  const identity = await deviceIdentity(home);
  const vault = createRequestVault();
  let phoneLink: ReturnType<typeof startPhoneLink> | undefined;
  const took = await timed(async () => {
    phoneLink = startPhoneLink({ running, identity, vault, given: null });
    await linkUp(phoneLink);
  });
  await phoneLink?.close();
  running.end();
  return took;
}
