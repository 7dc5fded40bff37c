/** The geometry of a drawn chart, read from its SVG. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Drawing {
  frame: Box;
  states: { id: string; box: Box }[];
  transitions: { key: string; row: Box; segments: Box[]; heads: { x: number; y: number }[] }[];
  /** Each line of text, by the state (`id`) or transition (`key`) that says it. */
  labels: { id: string | null; key: string | null; text: string; box: Box }[];
}

/** Widths of a character at most, by the class of its text: fixed at 11 px, and bold names. */
const widest: Record<string, number> = { name: 9.4, title: 11.6, words: 6.2, fixed: 6.83 };

export function drawingOf(svg: string): Drawing {
  const drawing: Drawing = { frame: boxOf(svg), states: [], transitions: [], labels: [] };
  const [x, y, width, height] = /viewBox="([^"]*)"/.exec(svg)![1]!.split(' ').map(Number);
  drawing.frame = { x: x!, y: y!, width: width!, height: height! };
  for (const line of svg.split('\n')) {
    const id = attribute(line, 'data-state');
    const key = attribute(line, 'data-transition');
    if (id === null && key === null) continue;
    if (id !== null) drawing.states.push({ id, box: boxOf(/<rect[^>]*>/.exec(line)![0]) });
    if (key !== null) {
      const paths = [...line.matchAll(/<path d="([^"]*)"/g)].map(([, d]) => d!);
      const heads = [...line.matchAll(/class="head" d="M([-.\d]+) ([-.\d]+)/g)];
      drawing.transitions.push({
        key,
        row: boxOf(/<rect class="row"[^>]*>/.exec(line)![0]),
        segments: paths.flatMap((d) => segmentsOf(d)),
        heads: heads.map(([, x, y]) => ({ x: Number(x), y: Number(y) })),
      });
    }
    for (const [tag, inner] of line.matchAll(/<text[^>]*>(.*?)<\/text>/g)) {
      const text = inner!.replaceAll(/<[^>]*>/g, '').replaceAll(/&\w+;/g, '&');
      if (text === '') continue;
      const character = widest[attribute(tag, 'class') ?? 'fixed'] ?? widest['fixed']!;
      const [x, y] = [Number(attribute(tag, 'x')), Number(attribute(tag, 'y'))];
      const box = { x, y: y - 9, width: text.length * character, height: 11 };
      drawing.labels.push({ id, key, text, box });
    }
  }
  return drawing;
}

/** Words that leave the state they belong to, or lie on other words or on a state inside. */
export function clashes({ states, transitions, labels }: Drawing): string[] {
  const faults: string[] = [];
  const innermost = (at: Box) => states.findLast(({ box }) => inside({ ...at, width: 1 }, box));
  for (const [i, label] of labels.entries()) {
    const state = innermost(label.box);
    if (state === undefined || !inside(label.box, state.box)) faults.push(`${label.text} leaves`);
    if (label.id !== null && label.id !== state?.id)
      faults.push(`${label.text} is in ${state?.id}`);
    for (const other of labels.slice(i + 1))
      if (overlap(label.box, other.box)) faults.push(`${label.text} on ${other.text}`);
  }
  for (const [i, { key, row }] of transitions.entries()) {
    const state = innermost(row)!;
    if (!inside(row, state.box)) faults.push(`${key} leaves`);
    for (const { id, box } of states)
      if (box !== state.box && inside(box, state.box) && overlap(row, box))
        faults.push(`${key} on ${id}`);
    for (const other of transitions.slice(i + 1))
      if (overlap(row, other.row)) faults.push(`${key} on ${other.key}`);
  }
  return faults;
}

export function inside(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** Whether two boxes share more than an edge; a line is a box without width or height. */
export function overlap(a: Box, b: Box): boolean {
  return (
    a.x < b.x + Math.max(b.width, 0.1) &&
    b.x < a.x + Math.max(a.width, 0.1) &&
    a.y < b.y + Math.max(b.height, 0.1) &&
    b.y < a.y + Math.max(a.height, 0.1)
  );
}

function boxOf(tag: string): Box {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((each) =>
    Number(attribute(tag, each)),
  );
  return { x: x!, y: y!, width: width!, height: height! };
}

function attribute(tag: string, name: string): string | null {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? null;
}

/** The straight pieces of a path made of M, H, V and Q. */
function segmentsOf(d: string): Box[] {
  const segments: Box[] = [];
  let [x, y] = [0, 0];
  for (const [, command, numbers] of d.matchAll(/([MHVQ])([^MHVQ]*)/g)) {
    const values = numbers!.split(' ').map(Number);
    const [toX, toY] =
      command === 'H' ? [values[0]!, y] : command === 'V' ? [x, values[0]!] : values.slice(-2);
    if (command === 'H' || command === 'V')
      segments.push({
        x: Math.min(x, toX!),
        y: Math.min(y, toY!),
        width: Math.abs(toX! - x),
        height: Math.abs(toY! - y),
      });
    [x, y] = [toX!, toY!];
  }
  return segments;
}
