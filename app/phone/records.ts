/** What the phone keeps: projections of its event log, and the appends that change them. */
import type { SignerIdentity } from '../../machines/phone/signer.context.ts';
import type { AllowedDestination } from '../../machines/phone/policy.ts';
import type { PublicIdentity } from '../../machines/ports.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';

/** A key pair of this phone. Its private half is sealed in a file of its own. */
export interface Identity extends SignerIdentity {
  createdAt: number;
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

interface Allowed {
  allowed: AllowedDestination[];
}

export function identities(log: EventLog): Identity[] {
  return log.streams('identity/').flatMap((stream) => {
    let identity: Identity | null = null;
    for (const { type, data, at } of log.read(stream)) {
      if (type === 'identity.created') {
        identity = { ...(data as unknown as PublicIdentity), enabled: true, createdAt: at };
      }
      if (identity === null) continue;
      if (type === 'identity.enabled') identity = { ...identity, enabled: true };
      if (type === 'identity.disabled') identity = { ...identity, enabled: false };
      if (type === 'identity.allowed') {
        identity = { ...identity, allowed: (data as unknown as Allowed).allowed };
      }
      if (type === 'identity.removed') identity = null;
    }
    return identity === null ? [] : [identity];
  });
}

const identityStream = (fingerprint: string) => `identity/${fingerprint}`;

export function addIdentity(log: EventLog, identity: PublicIdentity): void {
  const { fingerprint, label, algorithm, publicKey } = identity;
  log.append(identityStream(fingerprint), 0, [
    { type: 'identity.created', data: { fingerprint, label, algorithm, publicKey } },
  ]);
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

export function removeHeadset(log: EventLog, id: string, by: 'headset' | 'phone'): void {
  log.append(`device/${id}`, 'any', [{ type: 'device.removed', data: { by } }]);
}

/** No sheets of this headset until then, in milliseconds since 1970; a time that is over ends it. */
export function muteHeadset(log: EventLog, id: string, until: number): void {
  log.append(`device/${id}`, 'any', [{ type: 'device.muted', data: { until } }]);
}
