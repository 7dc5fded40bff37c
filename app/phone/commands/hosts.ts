import { readHostKeyLine } from '../../../adapters/keys/host-key-line.ts';
import type { HostPin } from '../../../machines/phone/destination.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { splitPort } from '../../headset/target.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { addPin, hostPins, removePins } from '../host-pins.ts';

export const command: Command = {
  usage:
    '[list [--json] | add HOST[:PORT] KEY | trust-ca PATTERN KEY | remove HOST[:PORT]|FINGERPRINT]',
  summary: 'the hosts that this phone knows, by their keys',
  help: `  signer hosts list [--json]
  signer hosts add HOST[:PORT] KEY      know a host before its first login; KEY as in its .pub file
  signer hosts trust-ca PATTERN KEY     know the hosts that this authority has certified;
                                        PATTERN may have * and ?
  signer hosts remove HOST[:PORT]       forget its keys, or the one of a FINGERPRINT

HOST is the name that people type to log in there. A key that has CHANGED is refused until the old
one is removed here.`,
  run,
};

const SSH_PORT = 22;

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'list', where = '', ...words] = positionals;
  if (action === 'list') {
    expectArguments(positionals, 0, 1);
    return list(values.json);
  }
  if (action === 'add' || action === 'trust-ca') {
    // A shell that was given no quotes makes several words of a key line.
    expectArguments(positionals, 3, 5);
    return add(where, words.join(' '), action === 'trust-ca');
  }
  if (action !== 'remove') throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, 2);
  return remove(where);
}

function list(json: boolean): number {
  const log = openLog('signer');
  const pins = hostPins(log);
  log.close();
  if (json) process.stdout.write(`${showJson(pins, 2)}\n`);
  else if (pins.length === 0) {
    process.stdout.write(
      'no host is known yet\nhint: answer p to the sheet of its first login, or signer hosts add\n',
    );
  } else for (const pin of pins) process.stdout.write(`${pinLine(pin)}\n`);
  return 0;
}

function pinLine(pin: HostPin): string {
  const since = new Date(pin.since).toISOString().slice(0, 10);
  const ca = pin.isCa ? '  certified by this authority' : '';
  return `${placeOf(pin).padEnd(24)}  ${pin.fingerprint}  ${showForeign(pin.keyType)}  since ${since}${ca}`;
}

function placeOf({ name, port }: HostPin): string {
  if (name === '') return '(no name)';
  const shown = showForeign(name, 80);
  if (port === SSH_PORT || port === 0) return shown;
  return name.includes(':') ? `[${shown}]:${port}` : `${shown}:${port}`;
}

function add(where: string, line: string, isCa: boolean): number {
  const { host, port } = isCa ? { host: where, port: 0 } : splitPort(where);
  if (host === '' || host.length > 255 || /[\s\p{C}]/u.test(host)) {
    throw new WrongUsage('a host is NAME or NAME:PORT');
  }
  const key = readHostKeyLine(line);
  if (key === null) {
    throw new WrongUsage('a key is the line of its .pub file: TYPE BASE64');
  }
  const log = openLog('signer');
  try {
    const { keyType, fingerprint } = key;
    addPin(log, { name: host, port: port ?? SSH_PORT, keyType, fingerprint, isCa });
    process.stdout.write(`${showForeign(host, 80)} is known by ${fingerprint}\n`);
  } finally {
    log.close();
  }
  return 0;
}

function remove(where: string): number {
  const isKey = where.startsWith('SHA256:');
  const { host, port } = isKey ? { host: where, port: null } : splitPort(where);
  const log = openLog('signer');
  try {
    const found = hostPins(log).filter((pin) =>
      isKey
        ? pin.fingerprint === where
        : pin.name.toLowerCase() === host.toLowerCase() &&
          (port === null || pin.port === port || pin.isCa),
    );
    if (found.length === 0) throw new WrongUsage(`no host is known as ${showForeign(where, 80)}`);
    removePins(log, found);
    for (const pin of found) {
      process.stdout.write(`forgot ${placeOf(pin)}  ${pin.fingerprint}\n`);
    }
  } finally {
    log.close();
  }
  return 0;
}
