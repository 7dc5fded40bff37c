/** A machine's context as a tree that can be read. */
import { el } from './dom.ts';

export function memoryTree(value: unknown): HTMLElement {
  if (value === null || typeof value !== 'object') return el('code', {}, plain(value));
  const entries = Object.entries(value);
  if (entries.length === 0) return el('code', {}, Array.isArray(value) ? 'none' : 'empty');
  return el(
    'dl',
    { class: 'memory' },
    ...entries.flatMap(([name, member]) => [el('dt', {}, name), el('dd', {}, memoryTree(member))]),
  );
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
