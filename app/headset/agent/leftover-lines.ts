/** Finds what still speaks of the agent in the person's ssh_config; a person takes it out. */
import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fromHome } from './ssh-config.ts';

export interface ConfigLine {
  file: string;
  /** From 1. */
  line: number;
  text: string;
}

/** As deep as ssh itself follows `Include`. */
const DEEPEST = 16;

/**
 * The lines of `~/.ssh/config` and of what it includes in which one of `paths`, which are absolute,
 * stands. A file that cannot be read has none. Includes are followed by name alone, also where their
 * `Host` would not apply.
 */
export function linesThatName(paths: string[]): ConfigLine[] {
  const wanted = paths.flatMap((path) => [path, fromHome(path)]);
  const read = new Set<string>();
  return search(join(homedir(), '.ssh', 'config'), 0);

  function search(file: string, depth: number): ConfigLine[] {
    if (read.has(file) || depth > DEEPEST) return [];
    read.add(file);
    return linesOf(file).flatMap((text, i) => {
      const plain = text.replaceAll('%%', '%');
      const here = !text.trimStart().startsWith('#') && wanted.some((path) => plain.includes(path));
      const included = includedFiles(text).flatMap((next) => search(next, depth + 1));
      return [...(here ? [{ file, line: i + 1, text: text.trim() }] : []), ...included];
    });
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The files of an `Include` line (ssh_config(5)): patterns, relative to `~/.ssh`. */
function includedFiles(text: string): string[] {
  const words = /^\s*include(?:\s*=\s*|\s+)(.*)$/i.exec(text)?.[1] ?? '';
  return [...words.matchAll(/"([^"]*)"|\S+/g)].flatMap(([word, inQuotes]) => {
    const pattern = (inQuotes ?? word).replace(/^~(?=\/)/, homedir());
    return globSync(resolve(homedir(), '.ssh', pattern)).toSorted();
  });
}
