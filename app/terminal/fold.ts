/**
 * Cuts a line into rows no wider than the terminal, so that whoever redraws them knows how many
 * there are. Nothing is left out: a long word, such as a fingerprint, goes on in the next row.
 */
import { displayCells } from './foreign-text.ts';

// oxlint-disable-next-line no-control-regex
const style = /\x1b\[[0-9;]*m/g;

/** Rows that `drawn` takes by now: a terminal that was narrowed has wrapped it. */
export function rowsNow(drawn: readonly string[], columns: number | undefined): number {
  let rows = 0;
  for (const line of drawn) {
    const cells = [...line.replace(style, '')].length;
    rows += Math.max(1, Math.ceil(cells / (columns || 80)));
  }
  return rows;
}

/**
 * A line that has to be cut loses its colours. Columns default to 80. `mark` begins each further
 * row, where foreign text must not pass for a line of ours.
 */
export function fold(line: string, columns: number | undefined, mark = ''): string[] {
  const width = Math.max(20, (columns ?? 80) - 1);
  const visible = line.replace(style, '');
  if (displayCells(visible) <= width) return [line];
  const rows: string[] = [];
  const indent = ' '.repeat(Math.min(8, /^ */.exec(visible)![0].length + 2)) + mark;
  let row = '';
  let breakable = false;
  for (const character of visible) {
    if (displayCells(row + character) > width) {
      const space = row.lastIndexOf(' ');
      const cut = breakable && space > width / 2 ? space + 1 : row.length;
      rows.push(row.slice(0, cut).trimEnd());
      row = indent + row.slice(cut);
      breakable = false;
    }
    row += character;
    if (character === ' ' && row.trim() !== '') breakable = true;
  }
  return [...rows, row];
}
