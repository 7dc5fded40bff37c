/** `vmux log` and `signer log`: what happened here, from the event log. */
import { INTERRUPTED } from '../adapters/event-log/processes.ts';
import { failures } from '../machines/failures.ts';
import type { Envelope } from '../adapters/event-log/envelope.ts';
import { expectArguments, parse, type Command } from './command-line.ts';
import { openLog } from './running.ts';
import type { Program } from './home.ts';
import { showForeign, showJson } from './terminal/foreign-text.ts';
import { WrongUsage } from './trouble.ts';

export function logCommand(program: Program): Command {
  return {
    usage: '[--json] [--stream PREFIX] [--last N]',
    summary: 'what happened on this device, event by event',
    help: `options:
  --json            one JSON envelope a line, as stored
  --stream PREFIX   only streams that begin so, e.g. connection/
  --last N          only the last N events`,
    async run(args) {
      const { values, positionals } = parse(args, {
        json: { type: 'boolean', default: false },
        stream: { type: 'string', default: '' },
        last: { type: 'string' },
      });
      expectArguments(positionals, 0);
      const last = parseCount(values.last);
      const log = openLog(program);
      try {
        let shown: Envelope[] = [];
        for (const envelope of log.readAll()) {
          if (!envelope.stream.startsWith(values.stream)) continue;
          shown.push(envelope);
          if (shown.length > 2 * last) shown = shown.slice(-last);
        }
        if (last !== Infinity) shown = last === 0 ? [] : shown.slice(-last);
        const line = values.json ? (one: Envelope) => showJson(one) : readable;
        for (const envelope of shown) process.stdout.write(`${line(envelope)}\n`);
      } finally {
        log.close();
      }
      return 0;
    },
  };
}

/** Without a value: all. @throws {WrongUsage} */
function parseCount(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^\d{1,15}$/.test(text)) throw new WrongUsage('--last takes a whole number');
  return Number(text);
}

function readable({ at, stream, type, data }: Envelope): string {
  const time = new Date(at).toISOString().replace('T', ' ');
  const name = stream.replace(/\/([0-9a-f]{8})-[0-9a-f-]{27}$/, '/$1');
  const fields =
    data !== null && typeof data === 'object' && !Array.isArray(data)
      ? Object.entries(data)
          .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
          .map(([key, value]) => `${key}=${showForeign(String(value), 80)}`)
      : [];
  const words = type === INTERRUPTED ? failures.interrupted.message : fields.join(' ');
  return `${time}  ${showForeign(name, 48).padEnd(24)}  ${type}  ${words}`.trimEnd();
}
