import { expectArguments, parse, type Command } from '../../command-line.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { muteHeadset, pairedHeadsets, removeHeadset, type PairedHeadset } from '../records.ts';

export const command: Command = {
  usage: '[list [--json] | remove NAME|ID | mute NAME|ID DURATION | unmute NAME|ID]',
  summary: 'the headsets that this phone is paired with',
  help: `  signer devices list [--json]
  signer devices remove NAME|ID            ends its links, and what it asked for, within a second
  signer devices mute NAME|ID DURATION     no sheets of it for so long: 90s, 10m, 2h, 1d
  signer devices unmute NAME|ID            ends that, and the rest after two ignored sheets`,
  run,
};

const LONGEST_MUTE = 7 * 24 * 3600 * 1000;

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'list', which = '', duration = ''] = positionals;
  const bounds: Record<string, [number, number]> = {
    list: [0, 1],
    remove: [2, 2],
    mute: [3, 3],
    unmute: [2, 2],
  };
  const [min, max] = bounds[action] ?? [];
  if (min === undefined) throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, min, max);
  const log = openLog('signer');
  try {
    const headsets = pairedHeadsets(log);
    if (action === 'list') {
      list(headsets, values.json);
      return 0;
    }
    const headset = find(headsets, which);
    const name = showForeign(headset.name);
    if (action === 'remove') {
      removeHeadset(log, headset.id, 'phone');
      process.stdout.write(`removed ${name}\n`);
    } else if (action === 'mute') {
      const until = Date.now() + parseDuration(duration);
      muteHeadset(log, headset.id, until);
      process.stdout.write(`${name} is muted until ${new Date(until).toISOString()}\n`);
    } else {
      muteHeadset(log, headset.id, 0);
      process.stdout.write(`${name} may ask again\n`);
    }
  } finally {
    log.close();
  }
  return 0;
}

/** `90s`, `10m`, `2h` or `1d`, as milliseconds. @throws {WrongUsage} */
function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const duration = Number(count) * (units[unit] ?? 0);
  if (duration < 1 || duration > LONGEST_MUTE) {
    throw new WrongUsage('a duration is 90s, 10m, 2h or 1d, and at most 7d');
  }
  return duration;
}

/** By name or id. @throws {WrongUsage} when there is none, or more than one. */
function find(headsets: PairedHeadset[], which: string): PairedHeadset {
  const found = headsets.filter(({ id, name }) => id === which || name === which);
  const [headset] = found;
  if (headset === undefined) throw new WrongUsage(`no headset is called ${showForeign(which)}`);
  if (found.length > 1) {
    throw new WrongUsage(`${found.length} headsets are called so; give the id (signer devices)`);
  }
  return headset;
}

function list(headsets: PairedHeadset[], json: boolean): void {
  if (json) {
    const rows = headsets.map(({ certificatePem: _, mute, ...headset }) => ({
      ...headset,
      mutedUntil: mutedUntil(mute),
    }));
    process.stdout.write(`${showJson(rows, 2)}\n`);
  } else if (headsets.length === 0) {
    process.stdout.write('no headset is paired yet\nhint: signer pair\n');
  } else for (const headset of headsets) process.stdout.write(`${headsetLine(headset)}\n`);
}

function headsetLine({ name, id, pairedAt, mute }: PairedHeadset): string {
  const since = new Date(pairedAt).toISOString().slice(0, 10);
  const until = mutedUntil(mute);
  const muted = until === null ? '' : `  muted until ${new Date(until).toISOString()}`;
  return `${showForeign(name).padEnd(16)}  ${id}  paired ${since}${muted}`;
}

const mutedUntil = (mute: PairedHeadset['mute']) =>
  mute !== null && mute.until > Date.now() ? mute.until : null;
