/** How every command of both programs begins and ends. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { failures, type FailureReason } from '../machines/failures.ts';
import { showForeign } from './terminal/foreign-text.ts';
import { Trouble, WrongUsage } from './trouble.ts';
import { version } from './version.ts';

export interface Command {
  /** After the program's and the command's name, e.g. `NAME|user@host[:port] [-- COMMAND]`. */
  usage: string;
  /** One line for the list of commands. */
  summary: string;
  /** Further lines for `--help`. */
  help?: string;
  run: (args: string[]) => Promise<number>;
}

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * Parses a command's arguments strictly.
 *
 * @throws {WrongUsage} on an unknown option or a missing value.
 */
export function parse<const T extends Options>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new WrongUsage((error as Error).message.split(/\.?\n|\. /)[0] ?? '');
  }
}

/** @throws {WrongUsage} unless there are at least `min` and at most `max` positional arguments. */
export function expectArguments(positionals: string[], min: number, max = min): void {
  if (positionals.length < min) throw new WrongUsage('an argument is missing');
  if (positionals.length > max) {
    throw new WrongUsage(`unexpected argument: ${showForeign(positionals[max] ?? '')}`);
  }
}

/** A whole number of seconds from the command line, as milliseconds. */
export function parseSeconds(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 1 || seconds > 120) {
    throw new WrongUsage(`${name} takes 1 to 120 seconds`);
  }
  return Math.round(seconds * 1000);
}

/** What a person reads about a failure: message, the world's own words, hint. */
export function failureLines(reason: FailureReason, detail: string | null = null): string[] {
  const { message, hint } = failures[reason];
  const more = detail === null || detail === '' ? '' : ` (${showForeign(detail, 160)})`;
  return [`${message}${more}`, `hint: ${hint}`];
}

/**
 * Runs `argv` and returns the exit status: 0, 1 for a failure that people meet (255 for `connect`,
 * as `ssh` does), 2 for wrong usage.
 */
export async function dispatch(
  program: 'vmux' | 'signer',
  commands: Record<string, () => Promise<Command>>,
  bare: () => Promise<number>,
  intro: string,
  argv: string[],
): Promise<number> {
  const [name, ...args] = argv;
  // A reader that left, such as head, is no failure; nor is a closed terminal, whose SIGHUP and end
  // of input say that it is time to withdraw and to record.
  for (const stream of [process.stdin, process.stdout, process.stderr]) {
    stream.on('error', () => {});
  }
  process.on('uncaughtException', (error) => endAtOnce(program, error, name === 'connect'));
  try {
    if (name === undefined) return await bare();
    if (name === '--version' || name === '-V') return print(`${program} ${version()}`);
    if (name === '--help' || name === '-h' || name === 'help') {
      return print(await overview(program, commands, intro));
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw new WrongUsage(`unknown command: ${showForeign(name)}`);
    const command = await load();
    const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
    if (own.includes('--help') || own.includes('-h')) {
      return print(
        [`usage: ${program} ${name} ${command.usage}`, '', command.summary, command.help ?? '']
          .join('\n')
          .trimEnd(),
      );
    }
    return await command.run(args);
  } catch (error) {
    return report(program, error, name, commands);
  }
}

function report(
  program: string,
  error: unknown,
  name: string | undefined,
  commands: Record<string, unknown>,
): number {
  if (error instanceof WrongUsage) {
    const help = name !== undefined && Object.hasOwn(commands, name) ? ` ${name}` : '';
    process.stderr.write(`${program}: ${error.message}\nhint: see ${program}${help} --help\n`);
    return 2;
  }
  const trouble = asTrouble(error);
  if (trouble === null) throw error;
  const [message, ...hint] = failureLines(trouble.reason, trouble.detail);
  // The hint of a cancelled login speaks of its request; here a question was left unanswered.
  const rest = trouble.reason === 'cancelled' ? [] : hint;
  process.stderr.write([`${program}: ${message}`, ...rest, ''].join('\n'));
  return name === 'connect' ? 255 : 1;
}

/** The last resort: a bug, or a log that failed where no machine was. The terminal is left sane. */
function endAtOnce(program: string, error: Error, isConnect: boolean): never {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  const { reason, detail } = asTrouble(error) ?? new Trouble('internalError', error.message);
  process.stderr.write(`${program}: ${failureLines(reason, detail).join('\n')}\n`);
  process.exit(isConnect ? 255 : 1);
}

/** The log's errors by name: an adapter does not know the words for people. */
const logReasons: Record<string, FailureReason> = {
  LogUnavailable: 'logUnavailable',
  LogInconsistent: 'logInconsistent',
  LogFromNewerProgram: 'logFromNewerProgram',
};

/** A failure that people meet, or `null`: a bug. */
export function asTrouble(error: unknown): Trouble | null {
  if (error instanceof Trouble) return error;
  if (!(error instanceof Error)) return null;
  const reason = logReasons[error.name];
  return reason === undefined ? null : new Trouble(reason, error.message);
}

async function overview(
  program: string,
  commands: Record<string, () => Promise<Command>>,
  intro: string,
): Promise<string> {
  const names = Object.keys(commands);
  const width = Math.max(...names.map((name) => name.length));
  const lines = await Promise.all(
    names.map(async (name) => {
      const command = await commands[name]?.();
      return `  ${name.padEnd(width)}  ${command?.summary ?? ''}`;
    }),
  );
  return [
    intro,
    '',
    `usage: ${program} COMMAND …`,
    '',
    ...lines,
    '',
    `Each command has its own --help. ${program} --version prints the release.`,
  ].join('\n');
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
