import { expectArguments, parse, type Command } from '../../command-line.ts';
import { homeOf } from '../../home.ts';
import type { DeviceSource } from '../../inspector/device-source.ts';
import { inspectDevice, type InspectedDevice } from '../../inspector/device-inspected.ts';
import { joinSources } from '../../inspector/joined-source.ts';
import { openInBrowser } from '../../inspector/open-in-browser.ts';
import { readLog } from '../../inspector/read-log.ts';
import { Refusal } from '../../inspector/refusal.ts';
import { joinInspector, parseJoinAddress } from '../../inspector/remote-inspector.ts';
import { createRemoteSource } from '../../inspector/remote-source.ts';
import { startInspector } from '../../inspector/start-inspector.ts';
import { untilInterrupted } from '../../inspector/until-interrupted.ts';
import { writeExport } from '../../inspector/write-export.ts';
import { ask } from '../../terminal/ask.ts';
import { say } from '../../terminal/say.ts';
import { WrongUsage } from '../../trouble.ts';
import { createDriving } from '../driving.ts';

export const command: Command = {
  usage: '[--phone ADDRESS|-] [--flow ID] [--export FILE | --stately]',
  summary: 'see the statecharts live and replay what was recorded, in a browser',
  help: `The page is served on this machine only, to the browser that its address was opened with. It
can connect to saved hosts; their shells open in this terminal.

options:
  --phone ADDRESS   show the phone too: what signer inspect printed there; - asks for it, so
                    that it does not show in ps
  --flow ID         begin with that flow (vmux log --json has its stream)
  --export FILE     write that flow, or the newest, into one HTML file for a bug report
  --force           write over FILE
  --stately         show it in Stately's inspector instead, which Stately hosts: names of states
                    and events go there, hosts, users and keys do not
  --no-open         print the address, open nothing`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    phone: { type: 'string' },
    flow: { type: 'string' },
    export: { type: 'string' },
    force: { type: 'boolean', default: false },
    stately: { type: 'boolean', default: false },
    'no-open': { type: 'boolean', default: false },
  });
  expectArguments(positionals, 0);
  const { phone, flow = null, export: file } = values;
  if (values.stately) {
    if (phone !== undefined || file !== undefined)
      throw new WrongUsage('--stately shows one device, and writes no file');
    const { inspectInStately } = await import('../../inspector/stately/stately.ts');
    return inspectInStately({ program: 'vmux', flow, open: !values['no-open'] });
  }
  const device = await inspectDevice('vmux');
  try {
    const source = phone === undefined ? device.source : await withPhone(device, phone);
    if (file !== undefined) {
      await writeExport(source, file, flow, values.force);
      return 0;
    }
    const interrupted = untilInterrupted();
    const log = readLog('vmux');
    const driving = createDriving(log, say);
    const inspector = await startInspector({ source, home: homeOf('vmux'), flow, driving });
    try {
      process.stdout.write(`the inspector is at ${inspector.address}\n`);
      say(`if the browser cannot read that file: ${inspector.directAddress}`);
      say('Ctrl-C ends it');
      if (!values['no-open']) openInBrowser(inspector.address);
      return await interrupted;
    } finally {
      await driving.close();
      await inspector.close();
      log.close();
    }
  } finally {
    device.close();
  }
}

/** @throws {WrongUsage} when the phone's inspector does not let this one in */
async function withPhone(
  { source, charts }: InspectedDevice,
  given: string,
): Promise<DeviceSource> {
  const typed = given === '-' ? await ask('the address that signer inspect printed: ') : given;
  try {
    const remote = await joinInspector(parseJoinAddress(typed ?? ''));
    return joinSources(source, await createRemoteSource(remote, () => charts(['phone'])));
  } catch (error) {
    if (error instanceof Refusal) throw new WrongUsage(error.message);
    throw error;
  }
}
