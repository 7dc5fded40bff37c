/** A chart as a page: a Mermaid `stateDiagram-v2`, then every state with all that happens in it. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { Chart } from './charts.ts';
import { statesOf, transitionsFrom, transitionsOf, word, type Transition } from './transitions.ts';

/** The page of a chart. The same chart gives the same bytes. */
export function pageOf({ name, file, machine }: Chart): string {
  const root = machine.root;
  return [
    `# ${name}`,
    ...(root.description === undefined ? [] : ['', root.description]),
    '',
    `Drawn from \`${file}\` by \`npm run diagrams\`. What happens without leaving a state is below the chart.`,
    '',
    '```mermaid',
    diagramOf(machine),
    '```',
    ...[root, ...statesOf(machine)].flatMap((node) => ['', ...stateLines(node)]),
    '',
  ].join('\n');
}

/** The states, and the transitions that leave one for another. */
export function diagramOf(machine: AnyStateMachine): string {
  const edges = new Map<string, string[]>();
  for (const transition of transitionsOf(machine)) {
    for (const target of transition.targets) {
      if (!isDrawn(transition.source, target)) continue;
      const edge = `  ${idOf(transition.source)} --> ${idOf(target)}`;
      edges.set(edge, [...(edges.get(edge) ?? []), plain(sentence(transition))]);
    }
  }
  return [
    'stateDiagram-v2',
    ...stateDeclarations(machine.root, '  '),
    ...[...edges].map(([edge, labels]) => `${edge} : ${labels.join('<br>')}`),
  ].join('\n');
}

function stateDeclarations(parent: AnyStateNode, indent: string): string[] {
  const children = Object.values(parent.states);
  const lines = children.flatMap((node, i) => {
    const region = parent.type === 'parallel' && i > 0 ? [`${indent}--`] : [];
    const name = `${indent}state "${plain(node.key)}" as ${idOf(node)}`;
    const end = node.type === 'final' ? [`${indent}${idOf(node)} --> [*]`] : [];
    return Object.keys(node.states).length === 0
      ? [...region, name, ...end]
      : [...region, `${name} {`, ...stateDeclarations(node, `${indent}  `), `${indent}}`];
  });
  const [first] = parent.type === 'compound' ? (parent.initial.target ?? []) : [];
  return first === undefined ? lines : [`${indent}[*] --> ${idOf(first)}`, ...lines];
}

/**
 * Mermaid cannot draw an edge between a composite state and itself or a state inside it; those are
 * in the text.
 */
function isDrawn(source: AnyStateNode, target: AnyStateNode): boolean {
  if (source === target) return Object.keys(source.states).length === 0;
  return !isWithin(source, target) && !isWithin(target, source);
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node.parent === ancestor || (node.parent !== undefined && isWithin(node.parent, ancestor));
}

function stateLines(node: AnyStateNode): string[] {
  const isRoot = node.parent === undefined;
  const title = isRoot ? 'Anywhere' : nameOf(node);
  const facts = [
    ...named('entry', listed(node.config.entry)),
    ...named('exit', listed(node.config.exit)),
    ...named(
      'invokes',
      node.invoke.map(({ id, src }) => (id === src ? id : `${id} (${word(src)})`)),
    ),
    ...(node.type === 'final' ? ['- final'] : []),
    ...transitionsFrom(node).map((each) => `- ${sentence(each)}${destination(each)}`),
  ];
  if (isRoot && facts.length === 0) return ['## States'];
  return [
    ...(isRoot ? ['## States', ''] : []),
    `### ${title}`,
    ...(node.description === undefined || isRoot ? [] : ['', node.description]),
    ...(facts.length === 0 ? [] : ['', ...facts]),
  ];
}

/** As the chart has them: a node's own lists also start and stop its clocks. */
const listed = (actions: unknown) =>
  (Array.isArray(actions) ? actions : actions === undefined ? [] : [actions]).map(word);

const named = (what: string, names: readonly string[]) =>
  names.length === 0 ? [] : [`- ${what}: ${names.join(', ')}`];

/** `event [guard] / action, action` */
function sentence({ event, guard, actions }: Transition): string {
  return `${event}${guard === null ? '' : ` [${guard}]`}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`;
}

function destination({ targets, definition }: Transition): string {
  if (targets.length === 0) return ' (stays)';
  const names = targets.map((target) => nameOf(target)).join(', ');
  return ` → ${names}${definition.reenter ? ' (entered anew)' : ''}`;
}

/** The path of a state, which its own id may hide. */
const nameOf = (node: AnyStateNode) => node.path.join('.');

const idOf = (node: AnyStateNode) => node.path.join('_').replaceAll(/\W/g, '_');

/** Mermaid ends a label at these characters. */
const plain = (text: string) => text.replaceAll(/[:;#"{}<>]/g, ' ');
