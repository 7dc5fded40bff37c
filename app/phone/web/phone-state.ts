/** What the phone's page shows beside the sheet: projections of the event log. */
import { hostname } from 'node:os';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { publicKeyLine } from '../../../adapters/keys/public-key.ts';
import type {
  ActivityRow,
  KeyPlace,
  PageIdentity,
  PhoneState,
} from '../../../adapters/phone-page/state.ts';
import type { SignerContext } from '../../../machines/phone/signer.context.ts';
import { version } from '../../version.ts';
import { hostPins } from '../host-pins.ts';
import type { Holding } from '../holding.ts';
import { identities, pairedHeadsets, type Identity, type PairedHeadset } from '../records.ts';
import { policyOf } from '../settings.ts';
import { pairedBrowsers } from './browsers.ts';

export interface PhoneStateParts {
  log: EventLog;
  origin: string;
  rpId: string;
  activity: () => ActivityRow[];
  push: { publicKey(): string | null; isOn(browserId: string): boolean };
}

export function phoneState(
  { log, origin, rpId, activity, push }: PhoneStateParts,
  { links, instance }: Pick<SignerContext, 'links' | 'instance'>,
  browserId: string,
): PhoneState {
  const linked = new Set(links.map(({ deviceId }) => deviceId));
  return {
    name: hostname(),
    origin,
    rpId,
    release: version(),
    now: Date.now(),
    isLocal: rpId === 'localhost',
    isPublished: instance !== null,
    identities: identities(log).map((identity) => pageIdentity(identity)),
    devices: pairedHeadsets(log).map(({ id, name, pairedAt, mute }) => ({
      id,
      name,
      pairedAt,
      isLinked: linked.has(id),
      mutedUntil: mutedUntil(mute),
    })),
    browsers: pairedBrowsers(log).map(({ id, name, pairedAt }) => {
      return { id, name, pairedAt, isThis: id === browserId };
    }),
    policy: policyOf(log),
    hosts: hostPins(log)
      .filter(({ isCa }) => !isCa)
      .map(({ name, port, keyType, fingerprint, since }) => {
        return { name, port, keyType, fingerprint, since };
      }),
    activity: activity(),
    push: { publicKey: push.publicKey(), isOn: push.isOn(browserId) },
  };
}

const mutedUntil = (mute: PairedHeadset['mute']) =>
  mute !== null && mute.until > Date.now() ? mute.until : null;

function pageIdentity(identity: Identity): PageIdentity {
  const { fingerprint, label, algorithm, enabled, createdAt, holding, allowed = [] } = identity;
  return {
    fingerprint,
    label,
    algorithm,
    line: publicKeyLine(identity),
    enabled,
    createdAt,
    place: placeOfKey(holding),
    isPasskeySynced: holding.by !== 'passphrase' && holding.passkey.isSyncable,
    credential: holding.by === 'passphrase' ? null : holding.passkey.credential,
    allowed: allowed.map(({ user, host, port }) => {
      return `${user === null ? '' : `${user}@`}${host}${port === null ? '' : `:${port}`}`;
    }),
  };
}

function placeOfKey(holding: Holding): KeyPlace {
  if (holding.by === 'passphrase') return 'sealedAtSigner';
  if (holding.by === 'sealed') return 'sealedInBrowser';
  const { isSyncable, attachment } = holding.passkey;
  if (isSyncable) return 'syncedPasskey';
  return attachment === 'cross-platform' ? 'securityKey' : 'boundPasskey';
}
