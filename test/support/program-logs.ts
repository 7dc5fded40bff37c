/** What the programs' event logs say of their runs, folded by the machines themselves. */
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { comparable, fold } from '../../adapters/event-log/replay.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { failures, type FailureReason } from '../../machines/failures.ts';
import { connectionMachine } from '../../machines/headset/connection.machine.ts';
import { linkMachine } from '../../machines/headset/link.machine.ts';
import { headsetPairingMachine } from '../../machines/pairing/headset-pairing.machine.ts';
import { phonePairingMachine } from '../../machines/pairing/phone-pairing.machine.ts';
import { signerMachine } from '../../machines/phone/signer.machine.ts';
import type { Device } from './program-driver.ts';

const machines: Record<string, AnyStateMachine> = {
  connection: connectionMachine,
  link: linkMachine,
  signer: signerMachine,
  'headset-pairing': headsetPairingMachine,
  'phone-pairing': phonePairingMachine,
};

export interface Run {
  stream: string;
  machine: string;
  value: unknown;
  reason: FailureReason | null;
  /** `app.finished`, `app.stopped`, `app.interrupted`; `null`: the run goes on, or was cut off. */
  end: string | null;
}

/** All events of a device's log. It must open and be whole. */
export function eventsOf({ home }: Pick<Device, 'home'>): Envelope[] {
  const log = openEventLog(join(home, 'events.db'));
  try {
    log.verify();
    return [...log.readAll()];
  } finally {
    log.close();
  }
}

/** The recorded runs in the order in which they began, each folded to its last state. */
export function runsOf(device: Pick<Device, 'home'>, machine?: string): Run[] {
  const streams = Map.groupBy(eventsOf(device), ({ stream }) => stream);
  return [...streams].flatMap(([stream, events]) => {
    const name = stream.split('/')[0] ?? '';
    const chart = machines[name];
    if (chart === undefined || (machine !== undefined && machine !== name)) return [];
    const { value, context, status, error } = comparable(fold(chart, events));
    if (status === 'error') throw new Error(`${stream} folds to an error: ${String(error)}`);
    const last = events.at(-1)?.type ?? '';
    const { reason = null } = context as { reason?: FailureReason | null };
    return [{ stream, machine: name, value, reason, end: last.startsWith('app.') ? last : null }];
  });
}

const settled: Record<string, (value: unknown) => boolean> = {
  connection: (value) => typeof value === 'string' && value !== 'idle',
  'headset-pairing': (value) => typeof value === 'string',
  'phone-pairing': (value) => typeof value === 'string',
  link: () => true,
  signer: () => true,
};

/**
 * Where a device's log and its screen differ; empty when they agree. The runs of programs that were
 * killed have told nothing to the end.
 */
export function untold(device: Device): string[] {
  const screen = device.screen();
  return runsOf(device).flatMap(({ stream, machine, value, reason, end }) => {
    if (end === null) return [`${stream} has no end`];
    if (end === 'app.interrupted') return [];
    if (settled[machine]?.(value) !== true) return [`${stream} ended as ${JSON.stringify(value)}`];
    if (reason === null || screen.includes(failures[reason].message)) return [];
    return [`${stream} ended as ${reason}, which no screen told`];
  });
}
