import type { EventLog } from '../../../adapters/event-log/store.ts';
import type { PushCompany } from '../../../adapters/push/subscription.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { homeOf } from '../../home.ts';
import { openLog } from '../../running.ts';
import { showForeign, showJson } from '../../terminal/foreign-text.ts';
import { WrongUsage } from '../../trouble.ts';
import { pairedBrowsers } from '../web/browsers.ts';
import { createPush, type Push } from '../web/push.ts';

const whoSeesWhat = `A message goes through the company that made the browser: Apple, Google, Mozilla or Microsoft. It
learns that something was sent to this browser, when, and from which network address; not what was
asked, where or by whom: the message is a random number, encrypted.`;

export const command: Command = {
  usage: '[status [--json] | test | off]',
  summary: 'waking the phone’s page when a request comes and nobody looks at it',
  help: `  signer push status [--json]     which browsers it is turned on for
  signer push test                sends a message to each of them
  signer push off                 turns it off for all

It is off unless the person turns it on in the page's settings.
${whoSeesWhat}`,
  run,
};

interface BrowserRow {
  id: string;
  name: string;
  /** Whom it goes through; `null`: it is off. */
  through: PushCompany | null;
  last: LastPush | null;
}

/** What came of the last message, or why it is off. */
interface LastPush {
  at: number;
  outcome: string;
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
  expectArguments(positionals, 0, 1);
  const [action = 'status'] = positionals;
  const log = openLog('signer');
  try {
    const push = createPush({ home: homeOf('signer'), log });
    push.dropUnpaired();
    const rows = pairedBrowsers(log).map(({ id, name }): BrowserRow => {
      return { id, name, through: push.companyFor(id), last: lastPush(log, id) };
    });
    if (action === 'status') return status(rows, values.json);
    if (action === 'test') return await test(push, rows);
    if (action === 'off') return off(push, rows);
    throw new WrongUsage(`unknown action: ${showForeign(action)}`);
  } finally {
    log.close();
  }
}

function status(rows: BrowserRow[], json: boolean): number {
  if (json) print(showJson(rows, 2));
  else if (rows.length === 0) print('no browser is paired yet\nhint: signer web setup');
  else for (const row of rows) print(statusLine(row));
  if (!json && rows.some(({ through }) => through !== null)) print(whoSeesWhat);
  return 0;
}

function statusLine({ id, name, through, last }: BrowserRow): string {
  const state = through === null ? 'off' : `on, through ${through}`;
  const news = last === null ? '' : `  ${new Date(last.at).toISOString()} ${last.outcome}`;
  return `${showForeign(name).padEnd(24)}  ${id}  ${state}${news}`;
}

/** Exit status 1 unless every message was taken. */
async function test(push: Push, rows: BrowserRow[]): Promise<number> {
  let failed = 0;
  for (const { id, name, through } of rows) {
    if (through === null) continue;
    const failure = await failureOf(push.test(id));
    if (failure !== null) failed += 1;
    const taken = `${through} took it; the notification comes in a few seconds`;
    print(`${showForeign(name)}: ${failure ?? taken}`);
  }
  if (rows.every(({ through }) => through === null)) return nobody();
  print(whoSeesWhat);
  return failed === 0 ? 0 : 1;
}

/** The sentence about it, or `null`. */
async function failureOf(test: Promise<'sent'>): Promise<string | null> {
  try {
    await test;
    return null;
  } catch (error) {
    if (error instanceof WrongUsage) return error.message;
    throw error;
  }
}

function off(push: Push, rows: BrowserRow[]): number {
  const on = rows.filter(({ through }) => through !== null);
  if (on.length === 0) return nobody();
  for (const { id, name } of on) {
    push.turnOff(id);
    print(`${showForeign(name)} is no longer woken`);
  }
  return 0;
}

function nobody(): number {
  print('it is on for no browser\nhint: turn it on in the settings of the page');
  return 0;
}

function lastPush(log: EventLog, browserId: string): LastPush | null {
  let last: LastPush | null = null;
  for (const { type, data, at } of log.read(`push/${browserId}`)) {
    if (type === 'push.sent') last = { at, outcome: 'sent' };
    if (type === 'push.failed') {
      last = { at, outcome: `not sent: ${(data as { detail: string }).detail}` };
    }
    if (type === 'push.turnedOff') {
      const isGone = (data as { why: string }).why === 'gone';
      last = isGone ? { at, outcome: 'ended by its push service' } : null;
    }
    if (type === 'push.turnedOn') last = null;
  }
  return last;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
