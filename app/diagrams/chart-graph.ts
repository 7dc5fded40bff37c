/** A machine as boxes within boxes, laid out by ELK: one column, in the order of the source. */
import type { ElkNode } from 'elkjs/lib/elk-api.js';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import {
  lineHeight,
  rowGap,
  rowsOf,
  sentenceLines,
  widthOfLine,
  widthOfName,
  widthOfWords,
} from './chart-text.ts';
import type { Row } from './chart-text.ts';
import type { Transition } from './transitions.ts';

/** Pixels, from the upper left corner of the drawing. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedRow extends Row, Rectangle {}

export interface Box extends Rectangle {
  node: AnyStateNode;
  name: string;
  /** The machine's description, under its name; empty for every state but the root. */
  words: string[];
  rows: PlacedRow[];
  /** From the upper edge of the box to the baseline of its name. */
  baseline: number;
  /** Where what the box says ends and its children begin. */
  head: number;
  children: Box[];
}

/** How many lines run beside the children of a state, by node id. */
export type Tracks = ReadonlyMap<string, number>;

/** Inside a box, from its edges to its text. */
export const inset = 10;
/** Between two lines that run side by side. */
export const trackGap = 8;
/** From the children's right edge to the first line. */
export const arrowRoom = 14;
export const nameSize = 13;
export const titleSize = 16;
export const wordSize = 11;

const between = 10;
/** Left of children: room for the initial dot. */
const dotRoom = 20;
/** For the seconds that a page writes beside the name of a state with a clock. */
const clockRoom = 56;

/**
 * The boxes of `machine`, with room for `tracks` beside each state's children. Words are broken to
 * fill the boxes of `before`, an earlier layout; the states around others have more room than those.
 */
export async function boxesOf(
  machine: AnyStateMachine,
  title: string,
  tracks: Tracks,
  before?: Box,
): Promise<Box> {
  const root = measured(machine.root, title, tracks, before);
  const elk = await layouter();
  const laid = await elk.layout(graphOf(root, tracks, true));
  place(root, laid, 0, 0);
  return root;
}

let loaded: Promise<{ layout(graph: ElkNode): Promise<ElkNode> }> | undefined;

/** ELK takes a tenth of a second to load: only when something is drawn, and once. */
function layouter() {
  loaded ??= import('elkjs/lib/elk.bundled.js').then(({ default: elk }) => new elk.default());
  return loaded;
}

function measured(node: AnyStateNode, title: string, tracks: Tracks, before?: Box): Box {
  const room = before === undefined ? 0 : before.width - 2 * inset;
  const beside = rightOf(node, tracks);
  // A line that stays inside turns down beside the children: its words end before that.
  const isInside = (of: Transition | null) =>
    of !== null && of.targets.some((target) => roomOf(of, target) === node);
  const isRoot = node.parent === undefined;
  const size = isRoot ? titleSize : nameSize;
  const words = isRoot ? sentenceLines(node.description ?? '', Math.max(room, 300), wordSize) : [];
  const baseline = isRoot ? 24 : 18;
  let y = baseline + 8 + words.length * lineHeight;
  const rows = rowsOf(node, (of) => room - (isInside(of) ? beside : 0)).map((row) => {
    const width = Math.max(...row.lines.map((line) => widthOfLine(line)));
    const placed = { ...row, x: inset, y, width, height: row.lines.length * lineHeight };
    y += placed.height + rowGap;
    return placed;
  });
  const name = widthOfName(title, size) + (node.after.length > 0 ? clockRoom : 0);
  return {
    node,
    name: title,
    words,
    rows,
    baseline,
    head: y + 4,
    children: Object.values(node.states).map((child, i) =>
      measured(child, child.key, tracks, before?.children[i]),
    ),
    x: 0,
    y: 0,
    width:
      2 * inset +
      Math.max(
        name,
        ...rows.map(({ width, transition }) => width + (isInside(transition) ? beside : 0)),
        ...words.map((line) => widthOfWords(line, wordSize)),
      ),
    height: y + 4,
  };
}

function graphOf(box: Box, tracks: Tracks, isFirst: boolean): ElkNode {
  const { node, width, head } = box;
  const layoutOptions = { 'elk.rectpacking.inNewRow': String(!isFirst) };
  if (box.children.length === 0) return { id: node.id, width, height: head, layoutOptions };
  return {
    id: node.id,
    children: box.children.map((child, i) => graphOf(child, tracks, i === 0)),
    layoutOptions: {
      ...layoutOptions,
      'elk.algorithm': 'rectpacking',
      'elk.rectpacking.widthApproximation.strategy': 'TARGET_WIDTH',
      'elk.rectpacking.widthApproximation.targetWidth': '10000',
      'elk.rectpacking.whiteSpaceElimination.strategy': 'EQUAL_BETWEEN_STRUCTURES',
      'elk.spacing.nodeNode': String(between),
      'elk.padding': `[top=${head + 2},left=${dotRoom},bottom=${between},right=${rightOf(node, tracks)}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${head})`,
    },
  };
}

/** Between a state's children and its right edge. */
function rightOf({ id }: AnyStateNode, tracks: Tracks): number {
  const lines = tracks.get(id) ?? 0;
  return lines === 0 ? between : arrowRoom + lines * trackGap;
}

/** Takes over what ELK found, which is relative to the parent. */
function place(box: Box, laid: ElkNode, left: number, top: number): void {
  box.x = left + (laid.x ?? 0);
  box.y = top + (laid.y ?? 0);
  box.width = Math.ceil(laid.width ?? box.width);
  box.height = Math.ceil(laid.height ?? box.height);
  for (const row of box.rows) {
    row.x += box.x;
    row.y += box.y;
  }
  box.children.forEach((child, i) => place(child, laid.children![i]!, box.x, box.y));
}

/** A box and all in it, parents before their children. */
export function flat(box: Box): Box[] {
  return [box, ...box.children.flatMap((child) => flat(child))];
}

/** The state inside which the line to `target` runs: the smallest one that is not left. */
export function roomOf({ source, definition }: Transition, target: AnyStateNode): AnyStateNode {
  const around = definition.reenter ? ancestors(source) : [source, ...ancestors(source)];
  return ancestors(target).find((node) => around.includes(node)) ?? source.machine.root;
}

/** From the parent up to the root. */
function ancestors(node: AnyStateNode): AnyStateNode[] {
  return node.parent === undefined ? [] : [node.parent, ...ancestors(node.parent)];
}
