/**
 * The lines from transitions to the states that they lead to. Lines to one state join in a trunk
 * that runs beside the states, inside the smallest state around the whole way: no line passes
 * through a state that has nothing to do with it, and no two trunks lie on each other.
 */
import {
  arrowRoom,
  flat,
  roomOf,
  trackGap,
  type Box,
  type PlacedRow,
  type Tracks,
} from './chart-graph.ts';
import { lineHeight, widthOfLine } from './chart-text.ts';

/** All lines that end in `target` within `around`. */
interface Trunk {
  around: Box;
  target: Box;
  taps: { row: PlacedRow; x: number; y: number }[];
  /** Where it ends at the target. */
  end: number;
  track: number;
}

const corner = 5;
/** Two trunks may follow each other in one track when this much is between them. */
const apart = 6;

/** How many tracks each state needs beside its children. */
export function tracksOf(root: Box): Tracks {
  const most = new Map<string, number>();
  for (const { around, track } of trunksOf(root))
    most.set(around.node.id, Math.max(most.get(around.node.id) ?? 0, track + 1));
  return most;
}

/** SVG path data of a line and of its arrowhead. */
export interface Line {
  way: string;
  head: string;
}

/** By the row that they begin in, one for each target. */
export function linesIn(root: Box): Map<PlacedRow, Line[]> {
  const lines = new Map<PlacedRow, Line[]>();
  for (const { around, target, taps, end, track } of trunksOf(root)) {
    const beside = Math.max(...around.children.map(({ x, width }) => x + width), around.x);
    const trunk = beside + arrowRoom + track * trackGap;
    const stop = target.x + target.width;
    for (const { row, x, y } of taps)
      lines.set(row, [...(lines.get(row) ?? []), lineTo(x, y, trunk, stop, end)]);
  }
  return lines;
}

/** Right from the row, along the trunk, and into the state. */
function lineTo(x: number, y: number, trunk: number, stop: number, end: number): Line {
  const turn = Math.sign(end - y);
  const r = Math.min(corner, Math.abs(end - y) / 2);
  const into = Math.sign(stop - trunk);
  const way = [
    `M${x} ${y}H${trunk - r}`,
    `Q${trunk} ${y} ${trunk} ${y + turn * r}`,
    `V${end - turn * r}`,
    `Q${trunk} ${end} ${trunk + into * r} ${end}`,
    `H${stop - into * 4}`,
  ].join('');
  return { way, head: `M${stop} ${end}l${-into * 8} -3.5v7z` };
}

function trunksOf(root: Box): Trunk[] {
  const boxes = new Map(flat(root).map((box) => [box.node, box]));
  const trunks = new Map<string, Trunk>();
  for (const box of boxes.values()) {
    for (const row of box.rows) {
      const last = row.lines.length - 1;
      const x = row.x + widthOfLine(row.lines[last]!) + 5;
      const y = row.y + (last + 0.5) * lineHeight;
      const { transition } = row;
      for (const node of transition?.targets ?? []) {
        const around = boxes.get(roomOf(transition!, node))!;
        const target = boxes.get(node)!;
        const key = `${around.node.id}>${node.id}`;
        const trunk = trunks.get(key) ?? { around, target, taps: [], end: 0, track: 0 };
        trunks.set(key, trunk);
        trunk.taps.push({ row, x, y });
      }
    }
  }
  return withTracks([...trunks.values()]);
}

/** Where each trunk ends, and short trunks nearest to the states. */
function withTracks(trunks: Trunk[]): Trunk[] {
  const ends = new Map<Box, number>();
  for (const trunk of trunks) {
    const before = ends.get(trunk.target) ?? 0;
    ends.set(trunk.target, before + 1);
    trunk.end = trunk.target.y + trunk.target.baseline - 8 + before * 6;
  }
  const span = ({ taps, end }: Trunk): [from: number, to: number] => {
    const all = [end, ...taps.map(({ y }) => y)];
    return [Math.min(...all), Math.max(...all)];
  };
  const length = (trunk: Trunk) => span(trunk)[1] - span(trunk)[0];
  const placed: Trunk[] = [];
  for (const trunk of trunks.toSorted((a, b) => length(a) - length(b))) {
    const [from, to] = span(trunk);
    const taken = placed
      .filter((other) => other.around === trunk.around)
      .filter((other) => from < span(other)[1] + apart && span(other)[0] - apart < to)
      .map(({ track }) => track);
    while (taken.includes(trunk.track)) trunk.track += 1;
    placed.push(trunk);
  }
  return trunks;
}
