/** What a chart says in words, cut into lines that fit, and how wide they are. */
import type { AnyStateNode } from 'xstate';
import { transitionsFrom, word, type Transition } from './transitions.ts';

/** A run of text of one kind. */
export interface Span {
  kind: 'event' | 'guard' | 'actions' | 'target' | 'fact';
  text: string;
}

/** A line of a state's box: something that can happen there, or a fact when `transition` is null. */
export interface Row {
  transition: Transition | null;
  lines: Span[][];
}

/** Height of one line, and the room between rows. */
export const lineHeight = 14;
export const rowGap = 3;

/** Per character at 11 px; no usual fixed-width font is wider. */
const fixedWidth = 6.85;
/** Pixels that a line may have where its box does not offer more. */
const longestLine = 275;
const indent = '  ';

/**
 * Entry and exit actions and invoked actors, then the transitions, in the chart's order; in lines of
 * at most `room` pixels, but no shorter than a readable line, unless a single word is longer.
 */
export function rowsOf(node: AnyStateNode, room: (of: Transition | null) => number): Row[] {
  const broken = (spans: Span[], of: Transition | null) =>
    wrapped(spans, Math.floor(Math.max(room(of), longestLine) / fixedWidth));
  const invoked = node.invoke.map(({ id, src }) => (id === src ? id : `${id} (${word(src)})`));
  const facts = [
    ...fact('entry /', listed(node.config.entry)),
    ...fact('exit /', listed(node.config.exit)),
    ...fact('invoke', invoked),
  ];
  return [
    ...facts.map((spans) => ({ transition: null, lines: broken(spans, null) })),
    ...transitionsFrom(node).map((transition) => ({
      transition,
      lines: broken(spansOf(transition), transition),
    })),
  ];
}

/** One row of `entry / action, action`, or none. */
function fact(what: string, names: readonly string[]): Span[][] {
  return names.length === 0 ? [] : [series('fact', what, names)];
}

/** `event [guard] / action, action → target`, as written on the chart. */
function spansOf({ event, guard, actions, targets }: Transition): Span[] {
  return [
    { kind: 'event', text: event },
    ...(guard === null ? [] : [{ kind: 'guard' as const, text: `[${guard}]` }]),
    ...series('actions', '/', actions),
    ...targets.map(({ key }) => ({ kind: 'target' as const, text: `→ ${key}` })),
  ];
}

/** `mark name, name`, to be broken after any comma. */
function series(kind: Span['kind'], mark: string, names: readonly string[]): Span[] {
  return names.map((name, i) => ({
    kind,
    text: `${i === 0 ? `${mark} ` : ''}${name}${i < names.length - 1 ? ',' : ''}`,
  }));
}

/** Whole spans to a line as long as they fit, later lines indented. */
function wrapped(spans: Span[], longest: number): Span[][] {
  const lines: Span[][] = [];
  let length = Infinity;
  for (const { kind, text } of spans) {
    const line = lines.at(-1);
    if (line !== undefined && length + 1 + text.length <= longest) {
      line.push({ kind, text: ` ${text}` });
      length += 1 + text.length;
    } else {
      const start = line === undefined ? text : `${indent}${text}`;
      lines.push([{ kind, text: start }]);
      length = start.length;
    }
  }
  return lines;
}

/** The whole transition as a sentence, for the hint that shows on hover. */
export function sentenceOf({
  source,
  event,
  guard,
  actions,
  targets,
  definition,
}: Transition): string {
  const condition = guard === null ? '' : ` when ${guard}`;
  const effect = actions.length === 0 ? '' : `, doing ${actions.join(', ')}`;
  const end =
    targets.length === 0
      ? `stays in ${nameOf(source)}`
      : `goes from ${nameOf(source)} to ${targets.map((target) => nameOf(target)).join(' and ')}`;
  return `${event}${condition}: ${end}${definition.reenter ? ', entered anew' : ''}${effect}`;
}

const nameOf = ({ path, machine }: AnyStateNode) => path.join('.') || machine.id;

/** As the chart has them: a node's own lists also start and stop its clocks. */
function listed(actions: unknown): string[] {
  return (Array.isArray(actions) ? actions : actions === undefined ? [] : [actions]).map(word);
}

export function widthOfLine(line: readonly Span[]): number {
  return Math.ceil(line.reduce((sum, { text }) => sum + text.length, 0) * fixedWidth);
}

/** Upper bound for proportional text in the widest of the usual system fonts, bold. */
export function widthOfName(name: string, fontSize: number): number {
  let ems = 0;
  for (const letter of name) ems += emsOf(letter);
  return Math.ceil(ems * fontSize);
}

function emsOf(letter: string): number {
  if ("fijlrtI.,:;'() ".includes(letter)) return 0.5;
  if ('mwMWQO@'.includes(letter)) return 1.1;
  return letter >= 'a' && letter <= 'z' ? 0.72 : 0.85;
}

/** As `widthOfName`, in regular weight. */
export function widthOfWords(words: string, fontSize: number): number {
  return Math.ceil(widthOfName(words, fontSize) * 0.9);
}

/** A sentence in lines of at most `width`. */
export function sentenceLines(sentence: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  for (const each of sentence.split(' ').filter((each) => each !== '')) {
    const longer = lines.length === 0 ? each : `${lines.at(-1)} ${each}`;
    if (lines.length > 0 && widthOfWords(longer, fontSize) > width) lines.push(each);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}
