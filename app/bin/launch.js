/**
 * Starts a program from its sources in a checkout, or from `dist` where it was published: Node
 * strips no types below `node_modules`. Plain JavaScript that also parses on Node 18, so that an
 * old Node gets a sentence and not a syntax error.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;

/**
 * Runs the program and leaves its status in `process.exitCode`. Whatever it writes is its owner's
 * alone.
 *
 * @param {string} name as the person typed it
 * @param {string} home its state directory
 * @param {string} program path of its module below the project, without extension; the module
 *   exports `main(argv: string[]): Promise<number>`
 */
export async function launch(name, home, program) {
  if (Number.parseInt(process.versions.node, 10) < neededMajor) {
    process.stderr.write(
      `${name} needs Node ${neededMajor} or later (this is ${process.version})\n` +
        'hint: install it from https://nodejs.org; in a checkout, npm ci brings it and npx uses it\n',
    );
    process.exitCode = 2;
    return;
  }
  process.umask(0o077);
  cacheCompiledCode(resolve(home));
  const source = new URL(`../../${program}.ts`, import.meta.url);
  const published = new URL(`../../dist/${program}.js`, import.meta.url);
  const { main } = await import(existsSync(fileURLToPath(source)) ? source.href : published.href);
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * The state directory of a program.
 *
 * @param {string} variable environment variable that names it
 * @param {string} folder below the person's home directory otherwise
 */
export function stateHome(variable, folder) {
  return process.env[variable] || join(homedir(), folder);
}

/**
 * Compiled code is code: it is read back only from a directory that nobody else can write. The
 * state directory itself is made by the program that needs it, never by `--help`.
 */
function cacheCompiledCode(home) {
  const cache = join(home, 'cache');
  try {
    if (!isPrivate(home)) return;
    if (!existsSync(cache)) mkdirSync(cache, { mode: 0o700 });
    if (isPrivate(cache)) module.enableCompileCache(cache);
  } catch {
    // A state directory that cannot be used is the program's to report; it only starts slower here.
  }
}

function isPrivate(directory) {
  const stat = statSync(directory);
  const mine = process.getuid === undefined || stat.uid === process.getuid();
  return stat.isDirectory() && mine && (stat.mode & 0o077) === 0;
}
