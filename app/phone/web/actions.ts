/** What a person changes in the phone's page: the same appends as `signer`'s commands make. */
import type { EventLog } from '../../../adapters/event-log/store.ts';
import type { PageAction } from '../../../adapters/phone-page/actions.ts';
import { TIME_LIMITS, type Policy } from '../../../machines/phone/policy.ts';
import { WrongUsage } from '../../trouble.ts';
import { checkNewLabel } from '../create-identity.ts';
import { hostPins, removePins } from '../host-pins.ts';
import {
  changeIdentity,
  identities,
  muteHeadset,
  pairedHeadsets,
  removeHeadset,
  renameHeadset,
  renameIdentity,
} from '../records.ts';
import { removeIdentity } from '../remove-identity.ts';
import { policyOf, savePolicy } from '../settings.ts';
import { pairedBrowsers, removeBrowser } from './browsers.ts';
import type { createCreations } from './creations.ts';
import type { Push } from './push.ts';

export interface ActionsParts {
  home: string;
  log: EventLog;
  creations: ReturnType<typeof createCreations>;
  push: Push;
}

/** Throws `WrongUsage` with a sentence for the person. */
export async function perform(
  { home, log, creations, push }: ActionsParts,
  action: PageAction,
  browserId: string,
): Promise<unknown> {
  switch (action.do) {
    case 'identity.begin':
      return creations.begin(action.kind, action.label, browserId);
    case 'identity.finish':
      return creations.finish(action.creation, action.made, action.sealed, browserId);
    case 'identity.rename':
      checkNewLabel(log, action.label);
      return renameIdentity(log, own(log, action.fingerprint), action.label);
    case 'identity.enable':
      return changeIdentity(log, own(log, action.fingerprint), 'enabled');
    case 'identity.disable':
      return changeIdentity(log, own(log, action.fingerprint), 'disabled');
    case 'identity.remove':
      return removeIdentity(log, home, own(log, action.fingerprint));
    case 'device.rename':
      checkName(action.name);
      return renameHeadset(log, headset(log, action.id), action.name);
    case 'device.remove':
      return removeHeadset(log, headset(log, action.id), 'phone');
    case 'device.mute': {
      const until = action.minutes === 0 ? 0 : Date.now() + action.minutes * 60_000;
      return muteHeadset(log, headset(log, action.id), until);
    }
    case 'host.remove': {
      const { name, port } = action;
      const pins = hostPins(log).filter(
        (pin) => !pin.isCa && pin.name === name && pin.port === port,
      );
      if (pins.length === 0) throw new WrongUsage('that host is not known any more');
      return removePins(log, pins);
    }
    case 'policy.set':
      return changePolicy(log, action.policy);
    case 'browser.remove':
      if (!pairedBrowsers(log).some(({ id }) => id === action.id)) {
        throw new WrongUsage('that browser is not paired any more');
      }
      return removeBrowser(log, action.id);
    case 'push.on':
      return push.turnOn(browserId, action.subscription);
    case 'push.off':
      return push.turnOff(browserId);
    case 'push.test':
      return push.test(browserId);
  }
}

function own(log: EventLog, fingerprint: string): string {
  if (!identities(log).some((identity) => identity.fingerprint === fingerprint)) {
    throw new WrongUsage('that identity is gone');
  }
  return fingerprint;
}

function headset(log: EventLog, id: string): string {
  if (!pairedHeadsets(log).some((one) => one.id === id)) {
    throw new WrongUsage('that device is not paired any more');
  }
  return id;
}

/** What another page or the terminal changed since this page was told stays. */
function changePolicy(log: EventLog, changes: Partial<Policy>): void {
  const changed = { ...policyOf(log), ...changes };
  const { timeLimit } = changed;
  const { shortest, longest } = TIME_LIMITS;
  if (!Number.isInteger(timeLimit) || timeLimit < shortest || timeLimit > longest) {
    throw new WrongUsage(`a time limit is ${shortest} to ${longest} seconds`);
  }
  savePolicy(log, changed);
}

function checkName(name: string): void {
  if (name.trim() !== name || name === '' || /[\p{C}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new WrongUsage('a name is 1 to 64 printable characters');
  }
}
