import { constants } from 'node:os';
import { deviceIdentity } from '../../device-identity.ts';
import { expectArguments, parse, type Command } from '../../command-line.ts';
import { begin, type Running } from '../../running.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { missingSteps } from '../guide.ts';
import { personOf } from '../person.ts';
import { startPhone, type Person, type PhoneProcess } from '../phone.ts';
import { identities } from '../records.ts';
import type { ApprovedAt } from '../sheet-prompt.ts';
import { createTerminalSheet, type TerminalSheet } from '../terminal-sheet.ts';
import { refusePageOptions, wantedPlace, type WantedPlace } from '../web/page-options.ts';
import type { Web } from '../web/web.ts';

/** Fixed, so that a headset finds the phone where it met it last. */
const DEFAULT_PORT = 47_822;

export const command: Command = {
  usage: '[--port PORT] [--listen ADDRESS] [--plain] [--web [--name NAME] …]',
  summary: 'wait for sign requests and show their sheets here',
  help: `Keep it in the foreground: it is what your headset finds, and where you approve.

options:
  --port PORT        TCP port of the link (${DEFAULT_PORT})
  --listen ADDRESS   only on this address; :: (all) unless given
  --plain            plain lines, no redraws
  --web              serve the phone's page as well: Face ID approves there (signer web setup)

with --web, at the first start; the name and the port outlive everything:
  --name NAME        the page's host name; signer-XXXX.local, published here, unless given;
                     localhost: over http, for a browser of this machine only
  --web-port PORT    TCP port of the page
  --cert FILE --key FILE
                     a certificate of your own for NAME, as PEM`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    port: { type: 'string', default: String(DEFAULT_PORT) },
    listen: { type: 'string', default: '::' },
    plain: { type: 'boolean', default: false },
    web: { type: 'boolean', default: false },
    name: { type: 'string' },
    'web-port': { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
  });
  expectArguments(positionals, 0);
  const port = parsePort(values.port);
  const page = values.web ? wantedPlace(values) : refusePageOptions(values);

  const running = begin('signer');
  const ended = Promise.withResolvers<number | Trouble>();
  const interrupt = () => ended.resolve(128 + constants.signals.SIGINT);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) {
    process.on(signal, () => ended.resolve(128 + constants.signals[signal]));
  }
  void running.halted.then((error) => ended.resolve(new Trouble('logUnavailable', error.message)));

  let phone: PhoneProcess | null = null;
  let web: Web | null = null;
  const approvedAt = (fingerprint: string): ApprovedAt => {
    const identity = identities(running.log).find((one) => one.fingerprint === fingerprint);
    if (identity === undefined || identity.holding.by === 'passphrase') return 'terminal';
    if (web === null) return 'noPage';
    return web.approves(fingerprint) ? 'page' : 'otherPage';
  };
  const sheet = createTerminalSheet({
    input: process.stdin,
    output: process.stdout,
    plain: values.plain || !process.stdout.isTTY || !process.stdin.isTTY,
    isAwake: () => phone?.isAwake() ?? false,
    approvedAt,
    onInterrupt: interrupt,
  });
  try {
    const opened = page === null ? null : await openPage(running, page, sheet);
    web = opened?.web ?? null;
    const person = personOf(sheet, web, approvedAt);
    phone = await open(running, person, port, values.listen);
    web?.attach(phone);
    narrate(running, sheet, phone);
    for (const line of opened?.news ?? []) sheet.say(line);
    const result = await ended.promise;
    if (result instanceof Trouble) throw result;
    return result;
  } finally {
    sheet.restore();
    await phone?.close();
    await web?.close();
    running.end();
  }
}

/** @throws {WrongUsage} */
function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new WrongUsage('a port is a number from 0 to 65535');
  }
  return port;
}

/** What only the page needs is loaded only for it. */
async function openPage(running: Running, wanted: WantedPlace, { say }: TerminalSheet) {
  const { openWeb } = await import('../web/open-web.ts');
  return openWeb(running, wanted, say);
}

async function open(
  running: Running,
  person: Person,
  port: number,
  host: string,
): Promise<PhoneProcess> {
  const parts = { running, identity: await deviceIdentity(running.home), port, person };
  try {
    return await startPhone({ ...parts, host });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // A machine without IPv6.
    if (code === 'EAFNOSUPPORT' && host === '::') {
      return startPhone({ ...parts, host: '0.0.0.0' });
    }
    if (code === 'EADDRINUSE') {
      throw new WrongUsage(`port ${port} is taken; is signer running already? --port PORT`);
    }
    if (syscall === 'listen' || syscall === 'getaddrinfo') {
      throw new WrongUsage(`cannot wait there: ${(error as Error).message}`);
    }
    throw new Trouble('stateUnusable', (error as Error).message);
  }
}

/** What a person at the phone should know besides the sheets. */
function narrate(running: Running, sheet: TerminalSheet, { signer, port }: PhoneProcess): void {
  sheet.say(`listening on port ${port}. keep this in the foreground; Ctrl-C ends it`);
  for (const { label, fingerprint, enabled } of identities(running.log)) {
    sheet.say(`  ${showForeign(label)}  ${fingerprint}${enabled ? '' : '  (disabled)'}`);
  }
  for (const step of missingSteps(running.log)) sheet.say(`hint: ${step}`);

  let links = 0;
  let instance: string | null = null;
  signer.actor.subscribe(({ context, value }) => {
    if (context.links.length !== links) {
      links = context.links.length;
      const many = links === 1 ? '1 headset is linked' : `${links} headset links are open`;
      sheet.say(links === 0 ? 'no headset is linked' : many);
    }
    if (context.instance !== instance && context.instance !== null && value !== 'asleep') {
      sheet.say('published on this network');
    }
    instance = context.instance;
  });
}
