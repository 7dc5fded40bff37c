/** What the phone keeps: projections of its event log, and the appends that change them. */
import type { SignerIdentity } from '../../machines/phone/signer.context.ts';
import type { AllowedDestination } from '../../machines/phone/policy.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import type { Holding } from './holding.ts';

/** A key pair of this phone. */
export interface Identity extends SignerIdentity {
  createdAt: number;
  holding: Holding;
}

export interface PairedHeadset {
  id: string;
  /** As the headset calls itself: foreign text. */
  name: string;
  pin: string;
  certificatePem: string;
  pairedAt: number;
  /** The last decision to mute it, or no longer: `until` in milliseconds since 1970. */
  mute: { until: number; decision: number } | null;
}

interface Created extends PublicIdentity {
  /** Without it: by a passphrase. */
  holding?: Holding;
}

interface Renamed {
  label: string;
}

interface Allowed {
  allowed: AllowedDestination[];
}

export function identities(log: EventLog): Identity[] {
  return log.streams('identity/').flatMap((stream) => {
    let identity: Identity | null = null;
    for (const { type, data, at } of log.read(stream)) {
      if (type === 'identity.created') {
        const { holding = { by: 'passphrase' }, ...created } = data as unknown as Created;
        identity = { ...created, holding, enabled: true, createdAt: at };
      }
      if (identity === null) continue;
      if (type === 'identity.enabled') identity = { ...identity, enabled: true };
      if (type === 'identity.disabled') identity = { ...identity, enabled: false };
      if (type === 'identity.renamed') {
        identity = { ...identity, label: (data as unknown as Renamed).label };
      }
      if (type === 'identity.allowed') {
        identity = { ...identity, allowed: (data as unknown as Allowed).allowed };
      }
      if (type === 'identity.removed') identity = null;
    }
    return identity === null ? [] : [identity];
  });
}

const identityStream = (fingerprint: string) => `identity/${fingerprint}`;

export function addIdentity(
  log: EventLog,
  identity: PublicIdentity,
  holding: Holding = { by: 'passphrase' },
): void {
  const { fingerprint, label, algorithm, publicKey } = identity;
  log.append(identityStream(fingerprint), 0, [
    { type: 'identity.created', data: { fingerprint, label, algorithm, publicKey, holding } },
  ]);
}

export function renameIdentity(log: EventLog, fingerprint: string, label: string): void {
  log.append(identityStream(fingerprint), 'any', [{ type: 'identity.renamed', data: { label } }]);
}

export function changeIdentity(
  log: EventLog,
  fingerprint: string,
  change: 'enabled' | 'disabled' | 'removed',
): void {
  log.append(identityStream(fingerprint), 'any', [{ type: `identity.${change}` }]);
}

/** Locks an identity to these destinations; none: it may go anywhere. */
export function lockIdentity(
  log: EventLog,
  fingerprint: string,
  allowed: AllowedDestination[],
): void {
  const data = { allowed: allowed.map(({ user, host, port }) => ({ user, host, port })) };
  log.append(identityStream(fingerprint), 'any', [{ type: 'identity.allowed', data }]);
}

export function pairedHeadsets(log: EventLog): PairedHeadset[] {
  return log.streams('device/').flatMap((stream) => {
    let headset: PairedHeadset | null = null;
    for (const { type, data, at, version } of log.read(stream)) {
      if (type === 'device.paired') {
        headset = { ...(data as unknown as PairedHeadset), pairedAt: at, mute: null };
      }
      if (type === 'device.muted' && headset !== null) {
        const { until } = data as unknown as { until: number };
        headset = { ...headset, mute: { until, decision: version } };
      }
      if (type === 'device.renamed' && headset !== null) {
        headset = { ...headset, name: (data as unknown as { name: string }).name };
      }
      if (type === 'device.removed') headset = null;
    }
    return headset === null ? [] : [headset];
  });
}

export function addHeadset(
  log: EventLog,
  headset: { id: string; name: string; pin: string; certificatePem: string },
): void {
  const { id, name, pin, certificatePem } = headset;
  log.append(`device/${id}`, 'any', [
    { type: 'device.paired', data: { id, name, pin, certificatePem } },
  ]);
}

/** What its person calls it here, whatever it calls itself. */
export function renameHeadset(log: EventLog, id: string, name: string): void {
  log.append(`device/${id}`, 'any', [{ type: 'device.renamed', data: { name } }]);
}

export function removeHeadset(log: EventLog, id: string, by: 'headset' | 'phone'): void {
  log.append(`device/${id}`, 'any', [{ type: 'device.removed', data: { by } }]);
}

/** No sheets of this headset until then, in milliseconds since 1970; a time that is over ends it. */
export function muteHeadset(log: EventLog, id: string, until: number): void {
  log.append(`device/${id}`, 'any', [{ type: 'device.muted', data: { until } }]);
}
