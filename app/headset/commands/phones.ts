import { expectArguments, parse, type Command } from '../../command-line.ts';
import { deviceIdentity } from '../../device-identity.ts';
import { begin, openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { pairedPhones, type PairedPhone } from '../records.ts';
import { tellUnpaired } from '../tell-unpaired.ts';

export const command: Command = {
  usage: '[list [--json] | remove NAME|ID]',
  summary: 'the phones that this headset is paired with',
  help: 'Removing a phone ends its links at once; the phone is told if it can be reached.',
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'list', which = ''] = positionals;
  if (action === 'list') {
    expectArguments(positionals, 0, 1);
    return list(values.json);
  }
  if (action !== 'remove') throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, 2);
  return remove(which);
}

function list(json: boolean): number {
  const log = openLog('vmux');
  const phones = pairedPhones(log);
  log.close();
  if (json) {
    const rows = phones.map(({ certificatePem: _, ...phone }) => phone);
    process.stdout.write(`${showJson(rows, 2)}\n`);
  } else if (phones.length === 0) {
    process.stdout.write(
      'no phone is paired yet\nhint: run "signer pair" on the phone and "vmux pair" here\n',
    );
  } else for (const phone of phones) process.stdout.write(`${phoneLine(phone)}\n`);
  return 0;
}

function phoneLine({ id, name, pairedAt, endpoint }: PairedPhone): string {
  const met = endpoint === null ? '' : `  last met at ${endpoint.address}:${endpoint.port}`;
  const since = new Date(pairedAt).toISOString().slice(0, 10);
  return `${showForeign(name).padEnd(16)}  ${id}  paired ${since}${met}`;
}

async function remove(which: string): Promise<number> {
  const running = begin('vmux');
  try {
    const found = pairedPhones(running.log).filter(
      ({ id, name }) => id === which || name === which,
    );
    const [phone] = found;
    if (phone === undefined) throw new WrongUsage(`no phone is called ${showForeign(which)}`);
    if (found.length > 1) {
      throw new WrongUsage(`${found.length} phones are called so; give the id (vmux phones)`);
    }
    const told = await tellUnpaired(running, await deviceIdentity(running.home), phone);
    process.stdout.write(
      told
        ? `removed ${showForeign(phone.name)}; it was told\n`
        : `removed ${showForeign(phone.name)}; it could not be told now (signer devices remove, there)\n`,
    );
  } finally {
    running.end();
  }
  return 0;
}
