/**
 * The way from the person's browser to the inspector: a file that only they can read, since what is
 * on a command line shows in `ps`.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { createPrivateFile } from '../home.ts';

export interface RedirectFile {
  /** `file://…` */
  readonly address: string;
  /** May be called twice. */
  remove(): void;
}

/** `target`: where the browser goes from there. @throws {Trouble} `stateUnusable` */
export function writeRedirectFile(home: string, target: string): RedirectFile {
  const path = join(home, `inspect-${randomUUID()}.html`);
  createPrivateFile(path, pageThatLeadsTo(target));
  return { address: pathToFileURL(path).href, remove: () => rmSync(path, { force: true }) };
}

/** A page that moves on by itself, and has a link for where that does not happen. */
export const pageThatLeadsTo = (target: string) =>
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>inspector</title>' +
  '<meta name="referrer" content="no-referrer">' +
  `<meta http-equiv="refresh" content="0; url=${target}"></head>` +
  `<body><p><a href="${target}">to the inspector</a></p></body></html>\n`;
