/** The relay's own page: three files as they are. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const files: ReadonlyMap<string, { name: string; type: string }> = new Map([
  ['/', { name: 'relay.html', type: 'text/html; charset=utf-8' }],
  ['/relay.css', { name: 'relay.css', type: 'text/css; charset=utf-8' }],
  ['/relay.js', { name: 'relay.js', type: 'text/javascript; charset=utf-8' }],
]);

/** Beside this module, and where the package keeps what is not compiled. */
const folders = ['page/', '../../../../app/inspector/stately/page/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** `pathname`: of the request. Null when the page has no such file. */
export function relayPageFile(pathname: string): { type: string; text: string } | null {
  const file = files.get(pathname);
  if (file === undefined) return null;
  const folder = folders.find((one) => existsSync(one + file.name));
  if (folder === undefined) throw new Error(`${file.name} is not where it belongs`);
  return { type: file.type, text: readFileSync(folder + file.name, 'utf8') };
}
