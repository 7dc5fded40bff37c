/** What this phone knows of hosts: projections of its event log, and the appends that change them. */
import { createHash } from 'node:crypto';
import { fromCallback } from 'xstate';
import type { EventLog } from '../../adapters/event-log/store.ts';
import type { HostPin } from '../../machines/phone/destination.ts';
import type { PinsCommand } from '../../machines/phone/ports.ts';
import type { SignerEvent } from '../../machines/phone/signer.context.ts';

type NewPin = Omit<HostPin, 'since'>;

/** One stream for what a pin is about: names are foreign text, of any length and kind. */
function streamOf({ name, port, keyType, fingerprint, isCa }: NewPin): string {
  const about = isCa || name === '' ? fingerprint : '';
  const place = JSON.stringify([isCa, name.toLowerCase(), port, keyType, about]);
  return `pin/${createHash('sha256').update(place).digest('base64url')}`;
}

export function hostPins(log: EventLog): HostPin[] {
  return log.streams('pin/').flatMap((stream) => {
    let pin: HostPin | null = null;
    for (const { type, data, at } of log.read(stream)) {
      if (type === 'pin.added') {
        const { name, port, keyType, fingerprint, isCa } = data as unknown as NewPin;
        pin = { name, port, keyType, fingerprint, isCa, since: at };
      }
      if (type === 'pin.removed') pin = null;
    }
    return pin === null ? [] : [pin];
  });
}

/** Replaces what was pinned for the same name, port and key type. */
export function addPin(log: EventLog, pin: NewPin): void {
  const { name, port, keyType, fingerprint, isCa } = pin;
  log.append(streamOf(pin), 'any', [
    { type: 'pin.added', data: { name, port, keyType, fingerprint, isCa } },
  ]);
}

export function removePins(log: EventLog, pins: HostPin[]): void {
  log.appendMany(
    pins.map((pin) => ({
      stream: streamOf(pin),
      expectedVersion: 'any',
      events: [{ type: 'pin.removed' }],
    })),
  );
}

const hostboundPrefix = 'hostbound/';

/** Fingerprints of the host keys whose hosts have offered hostbound authentication. */
export function hostboundHosts(log: EventLog): string[] {
  return log.streams(hostboundPrefix).map((stream) => stream.slice(hostboundPrefix.length));
}

/** The `pins` port: keeps what the chart learns. `changes`: the events that say what is new then. */
export function createPinsPort(log: EventLog, changes: () => SignerEvent[]) {
  return fromCallback<PinsCommand, undefined>(({ receive, sendBack }) => {
    receive((command) => {
      if (command.type === 'pins.noteHostbound') {
        log.append(`${hostboundPrefix}${command.fingerprint}`, 'any', [
          { type: 'host.offersHostbound' },
        ]);
        return;
      }
      const { name, port, keyType, fingerprint } = command;
      addPin(log, { name, port, keyType, fingerprint, isCa: false });
      for (const event of changes()) sendBack(event);
    });
  });
}
