import { expectArguments, parse, type Command } from '../../command-line.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { pairedHeadsets, removeHeadset } from '../records.ts';

export const command: Command = {
  usage: '[list [--json] | remove NAME|ID]',
  summary: 'the headsets that this phone is paired with',
  help: 'Removing a headset ends its links, and what it asked for, within a second.',
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'list', which = ''] = positionals;
  if (action !== 'list' && action !== 'remove') {
    throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  }
  if (action === 'list') expectArguments(positionals, 0, 1);
  else expectArguments(positionals, 2);
  const log = openLog('signer');
  try {
    const headsets = pairedHeadsets(log);
    if (action === 'remove') {
      const found = headsets.filter(({ id, name }) => id === which || name === which);
      const [headset] = found;
      if (headset === undefined) {
        throw new WrongUsage(`no headset is called ${showForeign(which)}`);
      }
      if (found.length > 1) {
        throw new WrongUsage(
          `${found.length} headsets are called so; give the id (signer devices)`,
        );
      }
      removeHeadset(log, headset.id, 'phone');
      process.stdout.write(`removed ${showForeign(headset.name)}\n`);
    } else if (values.json) {
      const rows = headsets.map(({ certificatePem: _, ...headset }) => headset);
      process.stdout.write(`${showJson(rows, 2)}\n`);
    } else if (headsets.length === 0) {
      process.stdout.write('no headset is paired yet\nhint: signer pair\n');
    } else {
      for (const { name, id, pairedAt } of headsets) {
        const since = new Date(pairedAt).toISOString().slice(0, 10);
        process.stdout.write(`${showForeign(name).padEnd(16)}  ${id}  paired ${since}\n`);
      }
    }
  } finally {
    log.close();
  }
  return 0;
}
