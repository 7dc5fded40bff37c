/** `vmux inspect --stately` and `signer inspect --stately`. */
import { homeOf, type Program } from '../../home.ts';
import { say } from '../../terminal/say.ts';
import { inspectedMachines, machinesOf } from '../machines.ts';
import { openInBrowser } from '../open-in-browser.ts';
import { readLog } from '../read-log.ts';
import { untilInterrupted } from '../until-interrupted.ts';
import { startStatelyRelay } from './start-relay.ts';

export interface StatelyOptions {
  program: Program;
  /** A stream, or on the phone a request's flow; null: the newest. */
  flow: string | null;
  /** Whether to ask the desktop to open the address. */
  open: boolean;
}

/**
 * Shows the program's log in Stately's inspector until the person ends it. Resolves with the exit
 * status. Throws the log's errors, and `Trouble` when the state directory cannot be used.
 */
export async function inspectInStately({ program, flow, open }: StatelyOptions): Promise<number> {
  const device = program === 'vmux' ? 'headset' : 'phone';
  const log = readLog(program);
  try {
    const machines = machinesOf(device, await inspectedMachines());
    const relay = await startStatelyRelay({
      sources: [{ device, log, machines }],
      home: homeOf(program),
      flow,
    });
    try {
      process.stdout.write(`the way to Stately's inspector is at ${relay.address}\n`);
      say(`if the browser cannot read that file: ${relay.directAddress}`);
      for (const line of told) say(line);
      if (open) openInBrowser(relay.address);
      return await untilInterrupted();
    } finally {
      await relay.close();
    }
  } finally {
    log.close();
  }
}

const told = [
  'that inspector, https://stately.ai/inspect, is hosted by Stately; a button on the page begins it',
  'sent there: names of states and events, machine definitions, words such as the reason, times',
  'not sent: hosts, users, device names, addresses, labels, keys, fingerprints, codes',
  'Ctrl-C ends it',
];
