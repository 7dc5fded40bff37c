/**
 * Ports for stories: they record the commands that a chart gives and do nothing by themselves.
 */
import { fromCallback, fromPromise, type EventObject, type NonReducibleUnknown } from 'xstate';

export interface RecordingPort<Command extends EventObject, Input extends NonReducibleUnknown> {
  logic: ReturnType<typeof fromCallback<Command, Input>>;
  /** Every command, over all starts. */
  sent: Command[];
  /** One input for each start. */
  inputs: Input[];
  /** How many of its actors run now. */
  running: () => number;
}

/** `broken`: it throws when started, as a port does whose adapter cannot begin. */
export function recordingPort<Command extends EventObject, Input extends NonReducibleUnknown>(
  options: { broken?: boolean } = {},
): RecordingPort<Command, Input> {
  const sent: Command[] = [];
  const inputs: Input[] = [];
  let running = 0;
  const logic = fromCallback<Command, Input>(({ receive, input }) => {
    if (options.broken) throw new Error('broken for the story');
    inputs.push(input);
    running += 1;
    receive((command) => sent.push(command));
    return () => {
      running -= 1;
    };
  });
  return { logic, sent, inputs, running: () => running };
}

export interface PromisedPort<Output, Input extends NonReducibleUnknown> {
  logic: ReturnType<typeof fromPromise<Output, Input>>;
  inputs: Input[];
  /** Ends the n-th call (the latest unless said otherwise), and waits until the chart has heard. */
  resolve: (output: Output, call?: number) => Promise<void>;
  reject: (call?: number) => Promise<void>;
}

export function promisedPort<Output, Input extends NonReducibleUnknown>(): PromisedPort<
  Output,
  Input
> {
  const inputs: Input[] = [];
  const calls: PromiseWithResolvers<Output>[] = [];
  const logic = fromPromise<Output, Input>(({ input }) => {
    inputs.push(input);
    const call = Promise.withResolvers<Output>();
    calls.push(call);
    return call.promise;
  });
  const nth = (call: number) => {
    const found = calls.at(call);
    if (found === undefined) throw new Error('the chart never asked');
    return found;
  };
  return {
    logic,
    inputs,
    resolve: async (output, call = -1) => {
      nth(call).resolve(output);
      await heard();
    },
    reject: async (call = -1) => {
      nth(call).reject(new Error('failed for the story'));
      await heard();
    },
  };
}

const heard = () => new Promise<void>((resolve) => setImmediate(resolve));
