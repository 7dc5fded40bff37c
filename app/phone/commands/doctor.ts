import type { EventLog } from '../../../adapters/event-log/store.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { bad, good, measure, printCheck, type Check, type Finding } from '../../check.ts';
import { homeOf } from '../../home.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { identities, pairedHeadsets } from '../records.ts';
import { certificateWarning, keptCertificate } from '../web/authority-files.ts';
import { pairedBrowsers } from '../web/browsers.ts';
import { originOf, placeOf, type Place } from '../web/place.ts';

export const command: Command = {
  usage: '[--json]',
  summary: 'look whether this phone has all that it needs',
  help: `Checks the event log, the identities, the paired headsets and, where a page is served, its
certificate and its browsers. Exit status 1 when something is missing.`,
  run,
};

const RENEW = 'renew it, and start signer again with the new files';
const START = 'signer start --web makes another';

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  expectArguments(positionals, 0);
  const log = openLog('signer');
  const checks: Check[] = [];
  try {
    for await (const check of checksOf(log)) {
      checks.push(check);
      if (!values.json) printCheck(check);
    }
  } finally {
    log.close();
  }
  if (values.json) process.stdout.write(`${showJson(checks, 2)}\n`);
  return checks.every(({ ok }) => ok) ? 0 : 1;
}

async function* checksOf(log: EventLog): AsyncGenerator<Check> {
  yield await measure('event log', async () => {
    log.verify();
    return good(`${log.head()} events`);
  });
  yield await measure('identities', async () => lookAtIdentities(log));
  yield await measure('headsets', async () => {
    const names = pairedHeadsets(log).map(({ name }) => showForeign(name, 40));
    return names.length > 0 ? good(names.join(', ')) : bad('none', 'pair one: signer pair');
  });
  const place = placeOf(log);
  if (place === null) return;
  if (place.certificate.kind !== 'none') {
    yield await measure('certificate', async () => lookAtCertificate(place));
  }
  yield await measure('page', async () => {
    const names = pairedBrowsers(log).map(({ name }) => showForeign(name, 40));
    return names.length > 0
      ? good(`${originOf(place)}, paired with ${names.join(', ')}`)
      : bad(`${originOf(place)}, with no phone`, 'signer web setup takes one there');
  });
}

function lookAtIdentities(log: EventLog): Finding {
  const enabled = identities(log).filter((one) => one.enabled);
  const labels = enabled.map(({ label }) => showForeign(label, 40)).join(', ');
  return labels === ''
    ? bad('none is enabled', 'make one in the page, or: signer identity create LABEL')
    : good(labels);
}

function lookAtCertificate(place: Place): Finding {
  let found: ReturnType<typeof keptCertificate>;
  try {
    found = keptCertificate(homeOf('signer'), place);
  } catch (error) {
    if (error instanceof WrongUsage) return bad(error.message, RENEW);
    if (error instanceof Trouble) return bad(showForeign(error.detail ?? '', 160), START);
    throw error;
  }
  if (found === null) return bad(`none for ${place.host}`, START);
  const { notAfter, authority } = found;
  const warning = certificateWarning(notAfter, Date.now());
  const until = new Date(notAfter).toISOString().slice(0, 10);
  if (warning === null) return good(`${place.host} until ${until}`);
  return bad(warning, authority === null ? RENEW : START);
}
