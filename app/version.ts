import { existsSync, readFileSync } from 'node:fs';

/** The release, from the package's own package.json. */
export function version(): string {
  const path = [
    new URL('../package.json', import.meta.url),
    new URL('../../package.json', import.meta.url),
  ].find((url) => existsSync(url));
  if (path === undefined) return 'unknown';
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
