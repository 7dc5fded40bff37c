/** The relay's own page: three files as they are. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const files: ReadonlyMap<string, { name: string; type: string }> = new Map([
  ['/', { name: 'relay.html', type: 'text/html; charset=utf-8' }],
  ['/relay.css', { name: 'relay.css', type: 'text/css; charset=utf-8' }],
  ['/relay.js', { name: 'relay.js', type: 'text/javascript; charset=utf-8' }],
]);

const folder = fileURLToPath(new URL('page/', import.meta.url));

/** `pathname`: of the request. Null when the page has no such file. */
export function relayPageFile(pathname: string): { type: string; text: string } | null {
  const file = files.get(pathname);
  if (file === undefined) return null;
  return { type: file.type, text: readFileSync(folder + file.name, 'utf8') };
}
