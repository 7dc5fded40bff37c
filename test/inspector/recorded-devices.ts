/** Logs of a headset and a phone, written by recorded machines: what the inspector is shown. */
import { randomUUID } from 'node:crypto';
import { setImmediate as soon } from 'node:timers/promises';
import { onTestFinished, vi } from 'vitest';
import {
  fromCallback,
  fromPromise,
  SimulatedClock,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
} from 'xstate';
import { startRecorded, type Recorded } from '../../adapters/event-log/recorder.ts';
import { createRecorderGroup } from '../../adapters/event-log/recorder-group.ts';
import type { EventLog } from '../../adapters/event-log/store.ts';
import { drawCharts } from '../../app/inspector/drawn-charts.ts';
import type { DeviceSource } from '../../app/inspector/device-source.ts';
import { createLogSource } from '../../app/inspector/log-source.ts';
import { inspectedMachines, machinesOf } from '../../app/inspector/machines.ts';
import type { Device } from '../../app/inspector/protocol.ts';
import { openLog } from '../support/event-log-directory.ts';

const machines = await inspectedMachines();
const charts = drawCharts(machines);

export const machineNamed = (name: string): AnyStateMachine => {
  const found = machines.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no machine ${name}`);
  return found.machine;
};

/** When the recordings begin. Wall clock, milliseconds. */
export const BEGINNING = Date.UTC(2026, 0, 1, 12);

export interface RecordedMachine<M extends AnyStateMachine> extends Recorded<M> {
  /** Lets a deadline run out: time goes on for this machine. */
  pass(milliseconds: number): void;
}

export interface RecordedDevice {
  readonly device: Device;
  readonly log: EventLog;
  readonly source: DeviceSource;
  /** Its clock is this much ahead of the true one. */
  readonly skew: number;
  start<M extends AnyStateMachine>(
    name: string,
    machine: M,
    input: InputFrom<M>,
    id?: string,
  ): RecordedMachine<M>;
}

/** The wall clock of every device stands still until {@link wait} moves it. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: BEGINNING });
  onTestFinished(() => void vi.useRealTimers());
}

/** Milliseconds of everybody's wall clock. */
export const wait = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

export function recordedDevice(
  device: Device,
  skew = 0,
  process: string = randomUUID(),
): RecordedDevice {
  const log = openLog();
  const group = createRecorderGroup(() => {});
  return {
    device,
    log,
    skew,
    source: sourceOf(device, log),
    start(name, machine, input, id = randomUUID()) {
      const clock = new SimulatedClock();
      const stream = `${name}/${id}`;
      const recorded = startRecorded(withSilentPorts(machine), {
        input,
        log: ahead(log, skew),
        stream,
        group,
        clock,
        meta: { process },
      });
      return { ...recorded, pass: (milliseconds: number) => clock.increment(milliseconds) };
    },
  };
}

export const sourceOf = (device: Device, log: EventLog): DeviceSource =>
  createLogSource({
    device,
    log,
    machines: machinesOf(device, machines),
    charts: () => charts([device]),
  });

/** Appends at the time of a clock that is ahead. */
function ahead(log: EventLog, skew: number): EventLog {
  if (skew === 0) return log;
  return {
    ...log,
    append(...args) {
      const now = Date.now();
      vi.setSystemTime(now + skew);
      try {
        return log.append(...args);
      } finally {
        vi.setSystemTime(now);
      }
    },
  };
}

/** Ports that take every command and report nothing; the person is verified, the key signs. */
function withSilentPorts<M extends AnyStateMachine>(machine: M): M {
  const silent = fromCallback(() => undefined);
  const outputs: Record<string, unknown> = {
    biometrics: { verdict: 'verified' },
    keys: { signatureHash: 'signature' },
  };
  const names = Object.keys(machine.implementations.actors);
  const actors = names.map((name) => [
    name,
    name in outputs ? fromPromise(async () => outputs[name]) : silent,
  ]);
  return machine.provide({ actors: Object.fromEntries(actors) }) as M;
}

/** Until what promises have brought is recorded. */
export async function settled(): Promise<void> {
  await soon();
  await soon();
}

/** Delivers events, each `gap` milliseconds after the one before. */
export function tell<M extends AnyStateMachine>(
  { deliver }: Pick<RecordedMachine<M>, 'deliver'>,
  gap: number,
  ...events: EventFromLogic<M>[]
): void {
  for (const event of events) {
    wait(gap);
    if (!deliver(event)) throw new Error(`${String(event.type)} was not taken`);
  }
}
