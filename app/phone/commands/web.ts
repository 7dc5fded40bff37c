import { expectArguments, parse, type Command } from '../../command-line.ts';
import { homeOf } from '../../home.ts';
import { openLog } from '../../running.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { say } from '../../terminal/say.ts';
import { WrongUsage } from '../../trouble.ts';
import { certificateFor, certificateWarning, forgetCertificates } from '../web/authority-files.ts';
import { pairedBrowsers, removeBrowser } from '../web/browsers.ts';
import { forgetPlace, originOf, placeOf, type Place } from '../web/place.ts';

export const command: Command = {
  usage: '[show | setup | pair | browsers [--json] | unpair NAME|ID | certificate | forget]',
  summary: 'the phone’s page: Face ID approves there',
  help: `  signer web [show]               where it is, and which browsers are paired
  signer web setup                takes an iPhone there, step by step; signer start --web has to run
  signer web pair                 only the last step: a code for a browser
  signer web browsers [--json]
  signer web unpair NAME|ID       ends its page at once
  signer web certificate          its authority: SHA-256, and the certificate itself
  signer web forget               the next start chooses another name: what was made under this one
                                  does not work there`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  const [action = 'show', which = ''] = positionals;
  const actions: Record<string, (log: EventLog) => void | Promise<void>> = {
    show,
    setup: (log) => guided(log, 'setup'),
    pair: (log) => guided(log, 'pair'),
    browsers: (log) => list(log, values.json),
    unpair: (log) => unpair(log, which),
    certificate: showCertificate,
    forget,
  };
  const chosen = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (chosen === undefined) throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  expectArguments(positionals, action === 'unpair' ? 2 : 0, action === 'unpair' ? 2 : 1);
  const log = openLog('signer');
  try {
    await chosen(log);
  } finally {
    log.close();
  }
  return 0;
}

async function guided(log: EventLog, from: 'setup' | 'pair'): Promise<void> {
  const { pairPage, servedPlace, setUp } = await import('../web/setup.ts');
  const interrupt = new AbortController();
  const end = () => interrupt.abort();
  process.once('SIGINT', end).once('SIGTERM', end).once('SIGHUP', end);
  const parts = { home: homeOf('signer'), log, interrupted: interrupt.signal };
  try {
    if (from === 'setup') return await setUp(parts);
    await servedPlace(log);
    await pairPage(parts);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end);
  }
}

function show(log: EventLog): void {
  const place = placeOf(log);
  process.stdout.write(place === null ? 'no page yet\n' : `${originOf(place)}\n`);
  if (place === null) process.stdout.write('hint: signer start --web\n');
  else list(log, false);
}

function list(log: EventLog, json: boolean): void {
  const browsers = pairedBrowsers(log);
  if (json) {
    const rows = browsers.map(({ id, name, pairedAt }) => ({ id, name, pairedAt }));
    process.stdout.write(`${showJson(rows, 2)}\n`);
  } else if (browsers.length === 0) {
    process.stdout.write('no browser is paired yet\nhint: signer web setup\n');
  }
  for (const { id, name, pairedAt } of json ? [] : browsers) {
    const since = new Date(pairedAt).toISOString().slice(0, 10);
    process.stdout.write(`${showForeign(name).padEnd(24)}  ${id}  paired ${since}\n`);
  }
}

function unpair(log: EventLog, which: string): void {
  const found = pairedBrowsers(log).filter(({ id, name }) => id === which || name === which);
  const [browser] = found;
  if (browser === undefined) throw new WrongUsage(`no browser is called ${showForeign(which)}`);
  if (found.length > 1) {
    throw new WrongUsage(`${found.length} browsers are called so; give the id (signer web)`);
  }
  removeBrowser(log, browser.id);
  process.stdout.write(`unpaired ${showForeign(browser.name)}\n`);
}

/** @throws {WrongUsage} */
function chosenPlace(log: EventLog): Place {
  const place = placeOf(log);
  if (place === null) throw new WrongUsage('there is no page yet: signer start --web');
  return place;
}

async function showCertificate(log: EventLog): Promise<void> {
  const place = chosenPlace(log);
  if (place.certificate.kind === 'none') {
    process.stdout.write('localhost needs no certificate\n');
    return;
  }
  const { authority, notAfter } = await certificateFor(homeOf('signer'), place);
  const until = new Date(notAfter).toISOString().slice(0, 10);
  process.stdout.write(`the certificate of ${place.host} is valid until ${until}\n`);
  const warning = certificateWarning(notAfter, Date.now());
  if (warning !== null) say(warning);
  if (authority === null) return;
  process.stdout.write(`authority: SHA-256 ${authority.sha256}\n${authority.certificatePem}`);
}

function forget(log: EventLog): void {
  const place = chosenPlace(log);
  forgetPlace(log);
  forgetCertificates(homeOf('signer'));
  for (const { id } of pairedBrowsers(log)) removeBrowser(log, id);
  process.stdout.write(
    `forgot ${originOf(place)}, its certificate authority and its browsers\n` +
      'identities that were made there approve nothing any more: remove them, and their lines on servers;\n' +
      'on the phone, remove the app, its passkeys, and the profile\n',
  );
}
