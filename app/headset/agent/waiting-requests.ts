/** `vmux agent requests`: what waits for the phone now, read from the log of the agent's machines. */
import { INTERRUPTED } from '../../../adapters/event-log/processes.ts';
import { FINISHED, STOPPED } from '../../../adapters/event-log/recorder.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import type { SigningInput } from '../../../machines/headset/signing.machine.ts';
import { openLog } from '../../running.ts';
import { offeredIdentities } from '../records.ts';
import { whatFor } from './agent-words.ts';

/** No request lives longer. Milliseconds. */
const LONGEST = 150_000;

/** Resolves with the exit status. */
export async function printWaitingRequests(): Promise<number> {
  const log = openLog('vmux');
  try {
    const waiting = waitingRequests(log);
    if (waiting.length === 0) process.stdout.write('nothing waits for the phone\n');
    for (const { input, at } of waiting) {
      const label =
        offeredIdentities(log).find(({ fingerprint }) => fingerprint === input.fingerprint)
          ?.label ?? '';
      const seconds = Math.round((Date.now() - at) / 1000);
      const what = whatFor({ ...input, label });
      process.stdout.write(`code ${input.code}  ${what}, for ${seconds} s\n`);
    }
  } finally {
    log.close();
  }
  return 0;
}

function waitingRequests(log: EventLog): { input: SigningInput; at: number }[] {
  return log.streamsWithout('signing/', [FINISHED, STOPPED, INTERRUPTED]).flatMap((stream) => {
    const [begun] = log.read(stream);
    // What a killed agent left open is closed when the next program begins.
    if (begun === undefined || Date.now() - begun.at > LONGEST) return [];
    return [{ input: (begun.data as unknown as { input: SigningInput }).input, at: begun.at }];
  });
}
