/** The page's files in a checkout: built when a source has changed, and kept by what went into them. */
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const page = join(checkout, 'app/phone/page');

/** Out of the way of everything that looks at the sources. */
const kept = join(checkout, 'node_modules/.cache/phone-page');

/** Whatever the page is made of has to be below these. */
const sources = ['app/phone', 'app/terminal', 'adapters', 'machines', 'package-lock.json'];

/** The folder with the files; several processes may want it at the same time. */
export async function builtPage(): Promise<string> {
  const folder = join(kept, stateOfSources());
  if (existsSync(folder)) return folder;
  mkdirSync(kept, { recursive: true });
  const unfinished = join(kept, `${randomUUID()}.tmp`);
  try {
    await build(unfinished);
    renameSync(unfinished, folder);
    dropOld();
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Milliseconds: nobody still reads a build that is older, unless it is the present one. */
const OLD = 24 * 3600 * 1000;

function dropOld(): void {
  for (const name of readdirSync(kept)) {
    const made = statSync(join(kept, name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - made > OLD) rmSync(join(kept, name), { recursive: true, force: true });
  }
}

function stateOfSources(): string {
  const hash = createHash('sha256');
  const files = sources.flatMap((path) =>
    path.includes('.') ? [path] : globSync(`${path}/**/*.*`, { cwd: checkout }),
  );
  for (const file of files.toSorted()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(checkout, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}

/** @throws when the sources cannot be built, or a file outside of `sources` is part of the page. */
async function build(folder: string): Promise<void> {
  const { build: viteBuild } = await import('vite');
  const before = process.env['NODE_ENV'];
  try {
    await viteBuild({
      root: page,
      configFile: join(page, 'vite.config.ts'),
      configLoader: 'native',
      mode: 'production',
      logLevel: 'silent',
      build: { outDir: folder, emptyOutDir: true },
      plugins: [{ name: 'known-sources', moduleParsed: ({ id }) => expectKnown(id) }],
    });
  } finally {
    // Vite sets it, and the rest of this process is not its business.
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

function expectKnown(id: string): void {
  const path = relative(checkout, id.replace(/\?.*$/, '')).split(sep).join('/');
  const isOurs = !path.startsWith('.') && !path.includes('node_modules/') && !id.startsWith('\0');
  if (isOurs && !sources.some((source) => path.startsWith(`${source}/`))) {
    throw new Error(`${path} is part of the page, and not known to be one of its sources`);
  }
}
