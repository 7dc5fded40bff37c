/** The files of the page: as they are, and its modules without their types. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withoutTypes } from './strip-types.ts';

export interface PageFile {
  /** Media type. */
  type: string;
  text: string;
}

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

const folder = fileURLToPath(new URL('page/', import.meta.url));

const known = new Map<string, PageFile>();

/** `name`: `page.html`, `NAME.js`, `charts.css`. Null when the page has no such file. */
export async function pageFile(name: string): Promise<PageFile | null> {
  const [, extension = ''] = /^[a-z0-9-]+\.(html|css|js|svg)$/.exec(name) ?? [];
  const type = types[extension];
  if (type === undefined) return null;
  const cached = known.get(name);
  if (cached !== undefined) return cached;
  const text = name === 'charts.css' ? await chartStyle() : contentOf(name);
  if (text === null) return null;
  const file = { type, text };
  known.set(name, file);
  return file;
}

const chartStyle = async () => (await import('../diagrams/chart-style.ts')).chartStyle;

function contentOf(name: string): string | null {
  if (existsSync(folder + name)) return readFileSync(folder + name, 'utf8');
  // In a checkout, where nothing is compiled.
  const source = folder + name.replace(/\.js$/, '.ts');
  const isModule = name.endsWith('.js') && existsSync(source);
  return isModule ? withoutTypes(readFileSync(source, 'utf8')) : null;
}
