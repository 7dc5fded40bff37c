/** The files of the page, in memory: those that there are, and no way to any other. */
import { globSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  /** Media type. */
  type: string;
  body: Uint8Array<ArrayBuffer>;
  /** Its name has its content's hash: it may be kept for good. */
  immutable: boolean;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

/** What a request's path stands for: `/` is the page itself. Null when there is no such file. */
export type FindPageFile = (path: string) => PageFile | null;

/** As published; in a checkout, built if need be. @throws when it cannot be built. */
export async function pageFiles(): Promise<FindPageFile> {
  const isCheckout = import.meta.filename.endsWith('.ts');
  return filesBelow(
    isCheckout
      ? await (await import('./build-page.ts')).builtPage()
      : fileURLToPath(new URL('../page/', import.meta.url)),
  );
}

/** All files of `folder` that the page can have. */
export function filesBelow(folder: string): FindPageFile {
  const files = new Map<string, PageFile>();
  for (const name of globSync('**/*.*', { cwd: folder })) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const path = `/${name.split(sep).join('/')}`;
    const body = new Uint8Array(readFileSync(join(folder, name)));
    const file = { type, body, immutable: path.startsWith('/assets/') };
    files.set(path === '/index.html' ? '/' : path, file);
  }
  return (path) => files.get(path) ?? null;
}
