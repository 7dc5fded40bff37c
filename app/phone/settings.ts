/** What the person has decided about this phone, as its event log has it, and as it changes. */
import type { EventLog } from '../../adapters/event-log/store.ts';
import { defaultPolicy, type Policy } from '../../machines/phone/policy.ts';
import type { SignerEvent } from '../../machines/phone/signer.context.ts';
import { hostPins } from './host-pins.ts';
import { identities, pairedHeadsets } from './records.ts';

const policyStream = 'policy/this-phone';

export function policyOf(log: EventLog): Policy {
  let policy = defaultPolicy;
  for (const { type, data } of log.read(policyStream)) {
    if (type === 'policy.changed') policy = { ...defaultPolicy, ...(data as unknown as Policy) };
  }
  return policy;
}

export function savePolicy(
  log: EventLog,
  { requireProof, forwarding, listed, timeLimit }: Policy,
): void {
  log.append(policyStream, 'any', [
    { type: 'policy.changed', data: { requireProof, forwarding, listed, timeLimit } },
  ]);
}

export function currentSettings(log: EventLog) {
  // Where a private key is decides nothing in the chart.
  const known = identities(log).map(({ holding: _, ...identity }) => identity);
  return { identities: known, pins: hostPins(log), policy: policyOf(log) };
}

/**
 * Compares the log with what was known: `changes` gives the events that tell a running phone what
 * other processes have appended since it was last asked.
 */
export function watchSettings(log: EventLog) {
  let known = currentSettings(log);
  const decisions = new Map<string, number>();

  function changedSettings(): SignerEvent[] {
    const now = currentSettings(log);
    const isNew = (part: keyof typeof now) =>
      JSON.stringify(now[part]) !== JSON.stringify(known[part]);
    const event = {
      type: 'settings.changed' as const,
      ...(isNew('identities') && { identities: now.identities }),
      ...(isNew('pins') && { pins: now.pins }),
      ...(isNew('policy') && { policy: now.policy }),
    };
    known = now;
    return Object.keys(event).length > 1 ? [event] : [];
  }

  function changedMutes(): SignerEvent[] {
    return pairedHeadsets(log).flatMap(({ id: deviceId, mute }): SignerEvent[] => {
      if (mute === null || decisions.get(deviceId) === mute.decision) return [];
      decisions.set(deviceId, mute.decision);
      const left = mute.until - Date.now();
      return [
        left > 0 ? { type: 'device.muted', deviceId, left } : { type: 'device.unmuted', deviceId },
      ];
    });
  }

  return {
    known: () => known,
    changes: () => [...changedSettings(), ...changedMutes()],
  };
}
