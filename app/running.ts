/** One process of a program at its state directory: the log, its recorded machines, its end. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AnyStateMachine, InputFrom } from 'xstate';
import { openEventLog, type EventLog } from '../adapters/event-log/store.ts';
import { closeInterrupted, startProcess } from '../adapters/event-log/processes.ts';
import { createRecorderGroup } from '../adapters/event-log/recorder-group.ts';
import { startRecorded, type Recorded } from '../adapters/event-log/recorder.ts';
import { homeOf, prepareHome, type Program } from './home.ts';

export interface Running {
  readonly program: Program;
  readonly home: string;
  readonly log: EventLog;
  /** Starts a machine whose every event is recorded in the stream `<name>/<uuid>`. */
  start<Machine extends AnyStateMachine>(
    name: string,
    machine: Machine,
    input: InputFrom<Machine>,
  ): Recorded<Machine>;
  /** Called at once when the log cannot be written: close everything that leads outside. */
  onHalt(close: () => void): void;
  /** Resolves with the error when the log could not be written. */
  readonly halted: Promise<Error>;
  /** Stops the machines that still run and closes the log. */
  end(): void;
}

/** The path of the event log below a state directory. */
export const logPath = (home: string) => join(home, 'events.db');

/** Opens the log for a command that runs no machine: the caller closes it. */
export function openLog(program: Program): EventLog {
  const home = homeOf(program);
  prepareHome(home);
  return openEventLog(logPath(home));
}

/**
 * Begins a process: opens the log, and closes what processes left behind that were killed.
 *
 * Throws the log's errors, and `Trouble` when the state directory cannot be used.
 */
export function begin(program: Program, home = homeOf(program)): Running {
  prepareHome(home);
  const log = openEventLog(logPath(home));
  closeInterrupted(log);
  const own = startProcess(log, { program });
  const closers: (() => void)[] = [];
  const machines = new Set<Recorded<AnyStateMachine>>();
  const halted = Promise.withResolvers<Error>();
  const group = createRecorderGroup((error) => {
    for (const close of closers) close();
    halted.resolve(error);
  });

  return {
    program,
    home,
    log,
    start(name, machine, input) {
      const recorded = startRecorded(machine, {
        input,
        log,
        stream: `${name}/${randomUUID()}`,
        group,
        meta: { process: own.id },
      });
      const run = recorded as unknown as Recorded<AnyStateMachine>;
      machines.add(run);
      // A program that runs for weeks holds no machine that has ended.
      recorded.actor.subscribe({ complete: () => machines.delete(run) });
      return recorded;
    },
    onHalt: (close) => void closers.push(close),
    halted: halted.promise,
    end() {
      for (const machine of machines) machine.stop();
      if (group.halted === null) own.end();
      log.close();
    },
  };
}
