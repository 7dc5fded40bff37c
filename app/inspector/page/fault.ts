import { el, fill } from './dom.ts';
import { Said } from './source.ts';

/** The page could not begin: why, in place of it. @throws what it was, when it is a bug */
export function showFault(error: unknown): void {
  const words =
    error instanceof Said ? error.message : 'This page met a fault of its own. Reload it.';
  fill(document.body, el('main', {}, el('p', { class: 'notices', role: 'alert' }, words)));
  if (!(error instanceof Said)) throw error;
}
