/** How a run of the demo ends in good order, whatever ends it. */
import { constants } from 'node:os';

export interface Ending {
  /** Called at the end, last one first. */
  defer(close: () => void | Promise<void>): void;
  /** Ends the run now, with this error. */
  fail(error: Error): void;
  /** Ends the run now, as this signal would. */
  stop(signal: NodeJS.Signals): void;
}

/** A signal ended the run, or whoever read its output has left. */
class Stopped extends Error {
  readonly status: number;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.status = 128 + constants.signals[signal];
  }
}

/**
 * Resolves with what `run` does, an exit status, when everything that it deferred is closed and the
 * terminal is as it was. Rejects as `run` does. After a signal the process ends here.
 */
export async function runToItsEnd(run: (ending: Ending) => Promise<number>): Promise<number> {
  const { stdin, stdout } = process;
  const closing = new AsyncDisposableStack();
  const over = Promise.withResolvers<never>();
  const stop = (signal: NodeJS.Signals) => over.reject(new Stopped(signal));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  const readerLeft = () => stop('SIGPIPE');
  stdout.on('error', readerLeft);

  try {
    const ended = run({ defer: (close) => closing.defer(close), fail: over.reject, stop });
    return await Promise.race([ended, over.promise]);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    await closing.disposeAsync().catch(() => {});
    if (stdin.isTTY) stdin.setRawMode(false);
    // What `run` was at may still hold the process open.
    return process.exit(error.status);
  } finally {
    await closing.disposeAsync();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    for (const signal of signals) process.off(signal, stop);
  }
}
