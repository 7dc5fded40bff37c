/** `vmux agent install` and `uninstall`: the agent as a background program of the person. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { run } from '../../../adapters/ssh/run.ts';
import { homeOf } from '../../home.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { say } from '../../terminal/say.ts';
import { WrongUsage } from '../../trouble.ts';
import { agentInBackground, isPassing, WRITTEN_BY_US } from './background-program.ts';
import { linesThatName } from './leftover-lines.ts';
import { nameHelperPath } from './name-helper.ts';
import { serviceKeeper, type ServiceKeeper, type Words } from './service-keeper.ts';

/** Milliseconds for one command of the operating system. */
const PATIENCE = 30_000;

/**
 * Describes the agent to the operating system and has it started. Resolves with the exit status: 1
 * when it was not started, or when a file that is not ours is in the way.
 */
export async function installAgent(
  socket: string,
  platform: NodeJS.Platform = process.platform,
): Promise<number> {
  const keeper = serviceKeeper(platform);
  if (keeper === null) return unsupported();
  const program = agentInBackground(socket);
  const values = [...program.words, ...Object.values(program.environment)];
  if (values.some((value) => /\p{Cc}/u.test(value))) {
    throw new WrongUsage('a path has a control character');
  }
  const before = readText(keeper.path);
  if (before !== null && !isOurs(before)) return notOurs(keeper);
  try {
    replaceFile(keeper.path, keeper.describe(program));
  } catch (error) {
    return failed((error as Error).message, 'check the permissions of that directory');
  }
  process.stdout.write(`wrote ${keeper.path}\n`);
  const passing = program.words.slice(0, 2).find(isPassing);
  if (passing !== undefined) {
    say(`hint: ${passing} is in a place that gets cleared, and the agent with it`);
    say('hint: npm install --global vmux-signer, then vmux agent install again');
  }
  const commands = before === null ? keeper.start : keeper.startAgain;
  const trouble = await runAll(commands, [keeper.stop]);
  if (trouble !== null) {
    failed(trouble, 'the agent was not started; in a session of your own, run');
    for (const words of keeper.start) say(`  ${shown(words)}`);
    return 1;
  }
  process.stdout.write('the agent is running, and starts at each login\n');
  say('hint: vmux agent ssh-config prints the lines for ~/.ssh/config');
  return 0;
}

/**
 * Stops the agent, removes its description, and names the lines of ssh_config that are left, which
 * is all that is done about them. Resolves with the exit status.
 */
export async function uninstallAgent(
  socket: string,
  platform: NodeJS.Platform = process.platform,
): Promise<number> {
  const keeper = serviceKeeper(platform);
  if (keeper === null) return unsupported();
  const text = readText(keeper.path);
  if (text === null) process.stdout.write('the agent is not installed\n');
  else {
    if (!isOurs(text)) return notOurs(keeper);
    const trouble = await runAll([keeper.stop]);
    try {
      unlinkSync(keeper.path);
    } catch (error) {
      return failed((error as Error).message, 'check the permissions of that directory');
    }
    await runAll(keeper.forget);
    process.stdout.write(`removed ${keeper.path}\n`);
    if (trouble !== null) {
      say(`hint: an agent that runs now may go on (${trouble})`);
    }
  }
  const lines = linesThatName([socket, nameHelperPath(homeOf('vmux'))]);
  for (const { file, line, text } of lines) {
    process.stdout.write(`${file}:${line}: ${showForeign(text, 400)}\n`);
  }
  if (lines.length > 0) say('hint: ssh works with these lines too; take them out by hand');
  return 0;
}

/** What went wrong first, or `null`. The failure of one that is `optional` counts for nothing. */
async function runAll(commands: Words[], optional: Words[] = []): Promise<string | null> {
  for (const words of commands) {
    const [file, ...args] = words;
    const ran = await run(file, args, AbortSignal.timeout(PATIENCE));
    if (ran === 'missing') return `no ${file} on this machine`;
    if (ran.status !== 0 && !optional.includes(words)) {
      return `${file}: ${showForeign(ran.stderr.trim().split('\n')[0] ?? '', 160)}`;
    }
  }
  return null;
}

function shown(words: Words): string {
  return words.map((word) => (/^[\w./:@=-]+$/.test(word) ? word : quoted(word))).join(' ');
}

/** For a POSIX shell. */
const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;

const isOurs = (text: string) =>
  text
    .split('\n', 2)
    .some(
      (line) => line.startsWith(`# ${WRITTEN_BY_US}`) || line.startsWith(`<!-- ${WRITTEN_BY_US}`),
    );

/** `null` when there is nothing. What is there and cannot be read is not ours. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : '';
  }
}

function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.new`;
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
  renameSync(temporary, path);
}

const unsupported = () =>
  failed('this system has neither systemd nor launchd', 'run vmux agent where you log in');

const notOurs = ({ path }: ServiceKeeper) =>
  failed(`${path} was not written by vmux agent install`, 'it was left as it is; move it aside');

function failed(message: string, hint: string): number {
  say(`vmux: ${message}\nhint: ${hint}`);
  return 1;
}
