/** A machine as a statechart in SVG. */
import type { AnyStateMachine } from 'xstate';
import { boxesOf, flat, inset, wordSize, type Box, type PlacedRow } from './chart-graph.ts';
import { linesIn, tracksOf, type Line } from './chart-lines.ts';
import { chartStyle } from './chart-style.ts';
import { lineHeight, sentenceOf, type Span } from './chart-text.ts';

/** White space around the drawing. */
const margin = 8;

/**
 * The chart of `machine`. The same machine gives the same bytes, in every process.
 *
 * A state is `<g class="state" data-state="NODE ID">`, a transition `<g class="transition"
 * data-transition="KEY">` with its words and its lines. A page lights them with the classes
 * `active` and `taken`, and may write the seconds left into `<text class="clock"
 * data-clock="DELAY">`. What does not leave its state is a row without a line. No script.
 */
export async function chartSvg(
  machine: AnyStateMachine,
  options: { title?: string } = {},
): Promise<string> {
  const title = options.title ?? machine.id;
  const root = await laidOut(machine, title);
  const lines = linesIn(root);
  const boxes = flat(root);
  const [width, height] = [root.width + 2 * margin, root.height + 2 * margin];
  const label = `Statechart of ${title}. ${machine.root.description ?? ''}`.trim();
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="${escaped(label)}" width="${width}" height="${height}" viewBox="${-margin} ${-margin} ${width} ${height}">`,
    `<style>${chartStyle}</style>`,
    `<rect class="ground" x="${-margin}" y="${-margin}" width="${width}" height="${height}"/>`,
    ...boxes.map((box) => stateOf(box)),
    ...boxes.flatMap(({ rows }) => rows.map((row) => transitionOf(row, lines.get(row) ?? []))),
    '</svg>',
    '',
  ].join('\n');
}

/**
 * Heights follow from how words are broken, the room for lines from heights, and widths from that
 * room: words are broken anew once the widths are known, and the room is measured again.
 */
async function laidOut(machine: AnyStateMachine, title: string): Promise<Box> {
  const narrow = await boxesOf(machine, title, new Map());
  const wide = await boxesOf(machine, title, tracksOf(narrow));
  const broken = await boxesOf(machine, title, tracksOf(narrow), wide);
  return boxesOf(machine, title, tracksOf(broken), wide);
}

function stateOf(box: Box): string {
  const { node, name, words, rows, baseline, x, y, width, height } = box;
  const isRoot = node.parent === undefined;
  const delays = [...new Set(node.after.map(({ delay }) => String(delay)))];
  return [
    `<g class="state${box.children.length > 0 ? ' parent' : ''}" data-state="${escaped(node.id)}">`,
    hint(node.description ?? node.path.join('.')),
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...(node.type === 'final'
      ? [
          `<rect class="inner" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="6"/>`,
        ]
      : []),
    `<text class="${isRoot ? 'title' : 'name'}" x="${x + inset}" y="${y + baseline}">${escaped(name)}</text>`,
    ...delays
      .slice(0, 1)
      .map(
        (delay) =>
          `<text class="clock" data-clock="${escaped(delay)}" x="${x + width - inset}" y="${y + baseline}"></text>`,
      ),
    ...words.map(
      (line, i) =>
        `<text class="words" x="${x + inset}" y="${y + baseline + 6 + wordSize + i * lineHeight}">${escaped(line)}</text>`,
    ),
    ...rows.filter(({ transition }) => transition === null).map((row) => textOf(row)),
    ...(node.type === 'parallel'
      ? box.children.slice(1).map((child) => separator(box, child))
      : []),
    ...box.children.filter((child) => isInitial(box, child)).map((child) => initialDot(child)),
    '</g>',
  ].join('');
}

function isInitial({ node }: Box, child: Box): boolean {
  return node.type === 'compound' && (node.initial.target ?? []).includes(child.node);
}

function initialDot({ x, y, baseline }: Box): string {
  const middle = y + baseline - 5;
  return `<g class="initial"><circle cx="${x - 14}" cy="${middle}" r="3.5"/><path d="M${x - 11} ${middle}h6"/><path class="head" d="M${x} ${middle}l-7 -3.5v7z"/></g>`;
}

/** Between two regions of a parallel state. */
function separator({ x, width }: Box, child: Box): string {
  return `<path class="region" d="M${x} ${child.y - 6}h${width}"/>`;
}

function transitionOf(row: PlacedRow, lines: Line[]): string {
  const { transition, x, y, width, height } = row;
  if (transition === null) return '';
  return [
    `<g class="transition${lines.length === 0 ? ' stays' : ''}" data-transition="${escaped(transition.key)}">`,
    hint(sentenceOf(transition)),
    `<rect class="row" x="${x - 4}" y="${y}" width="${width + 8}" height="${height}" rx="4"/>`,
    textOf(row),
    ...lines.map(({ way, head }) => `<path d="${way}"/><path class="head" d="${head}"/>`),
    '</g>',
  ].join('');
}

function textOf({ x, y, lines }: PlacedRow): string {
  return lines
    .map(
      (line, i) =>
        `<text x="${x}" y="${y + i * lineHeight + 11}">${line.map((span) => spanOf(span)).join('')}</text>`,
    )
    .join('');
}

const spanOf = ({ kind, text }: Span) => `<tspan class="${kind}">${escaped(text)}</tspan>`;

const hint = (text: string) => `<title>${escaped(text)}</title>`;

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
