import { expectArguments, parse, type Command } from '../../command-line.ts';
import { homeOf } from '../../home.ts';
import { inspectDevice } from '../../inspector/device-inspected.ts';
import { openInBrowser } from '../../inspector/open-in-browser.ts';
import { startInspector } from '../../inspector/start-inspector.ts';
import { untilInterrupted } from '../../inspector/until-interrupted.ts';
import { say } from '../../terminal/say.ts';

export const command: Command = {
  usage: '[--stately]',
  summary: 'see the phone’s statechart live and replay what was recorded, in a browser',
  help: `The page is served on this machine only, to the browser that its address was opened with.
A headset's inspector on this machine, or at the other end of ssh -L, shows both when it is given
the second address: vmux inspect --phone -

options:
  --stately   show it in Stately's inspector instead, which Stately hosts: names of states and
              events go there, hosts, users and keys do not
  --no-open   print the addresses, open nothing`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    stately: { type: 'boolean', default: false },
    'no-open': { type: 'boolean', default: false },
  });
  expectArguments(positionals, 0);
  if (values.stately) {
    const { inspectInStately } = await import('../../inspector/stately/stately.ts');
    return inspectInStately({ program: 'signer', flow: null, open: !values['no-open'] });
  }
  const device = await inspectDevice('signer');
  const interrupted = untilInterrupted();
  try {
    const inspector = await startInspector({
      source: device.source,
      home: homeOf('signer'),
      joinable: true,
    });
    try {
      process.stdout.write(`the inspector is at ${inspector.address}\n`);
      process.stdout.write(`to join it, within two minutes: ${inspector.joinAddress}\n`);
      say(`if the browser cannot read that file: ${inspector.directAddress}`);
      say('Ctrl-C ends it');
      if (!values['no-open']) openInBrowser(inspector.address);
      return await interrupted;
    } finally {
      await inspector.close();
    }
  } finally {
    device.close();
  }
}
