/**
 * The import fence and the house rules that types cannot hold. `npm run check` runs it; it prints
 * each breach as `file:line sentence` and exits 1 if there are any.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, normalize, sep } from 'node:path';
import { parseAst } from 'vitest/node';

export interface Breach {
  file: string;
  line: number;
  rule: string;
}

interface Node {
  type: string;
  start: number;
  [field: string]: unknown;
}

interface Import {
  at: number;
  from: string;
  typesOnly: boolean;
}

const rooms = ['machines', 'adapters', 'app', 'test'];
const longest = 250;

/** What reaches outside a chart: time, chance, the process and the network. */
const impure = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Date',
  'performance',
  'crypto',
  'fetch',
  'process',
  'Buffer',
  'console',
  'globalThis',
]);

/** Every breach below `root`, by file and line. */
export function findBreaches(root: string): Breach[] {
  return rooms
    .filter((room) => existsSync(join(root, room)))
    .flatMap((room) => globSync(`${room}/**/*.{ts,tsx,js,mjs}`, { cwd: root }))
    .map((file) => file.split(sep).join('/'))
    .toSorted()
    .flatMap((file) => breachesOf(file, readFileSync(join(root, file), 'utf8')));
}

function breachesOf(file: string, source: string): Breach[] {
  const breaches: Breach[] = [];
  const report = (at: number, rule: string) =>
    breaches.push({ file, line: source.slice(0, at).split('\n').length, rule });

  if (file.split('/').includes('utils')) report(0, 'no folder is called utils');
  if (/^index\.[a-z]+$/.test(basename(file))) report(0, 'no barrels: import the file itself');
  const lines = source.trimEnd().split('\n').length;
  if (!file.startsWith('test/') && lines > longest)
    report(source.trimEnd().length, `${lines} lines: past ${longest} a file is two things`);

  let program: Node;
  try {
    program = parseAst(source, {
      lang: extname(file) === '.tsx' ? 'tsx' : 'ts',
    }) as unknown as Node;
  } catch (error) {
    report(0, `does not parse: ${String(error).split('\n')[0]}`);
    return breaches;
  }
  const statements = program['body'] as Node[];
  if (statements.length > 0 && statements.every((each) => isReExport(each)))
    report(0, 'no barrels: a file that only re-exports');
  for (const each of importsIn(program)) {
    const rule = importRule(file, each);
    if (rule !== null) report(each.at, rule);
  }
  walk(program, (node) => {
    if (file.startsWith('machines/')) {
      const word = impureWord(node);
      if (word !== null) report(node.start, `machines are pure: no ${word}`);
    }
    const mark = testMark(node);
    if (mark !== null) report(node.start, `a test is marked .${mark}`);
    const name = node.type === 'ClassDeclaration' ? (node['id'] as Node | null)?.['name'] : null;
    if (typeof name === 'string' && /(Manager|Service|Handler)$/.test(name))
      report(node.start, `no class ${name}: name it after what it is`);
  });
  return breaches;
}

/** Which arrow of the house an import goes against, or null. */
function importRule(file: string, { from, typesOnly }: Import): string | null {
  const [room = '', folder = ''] = file.split('/');
  if (room === 'test') return null;
  if (!from.startsWith('.')) {
    return room !== 'machines' || from === 'xstate'
      ? null
      : `machines import xstate and each other, not ${from}`;
  }
  const target = normalize(join(dirname(file), from))
    .split(sep)
    .join('/');
  const [targetRoom = '', targetFolder = ''] = target.split('/');
  if (targetRoom === 'test') return `${room} imports nothing from test`;
  if (room === 'machines') {
    if (targetRoom !== 'machines') return `machines import xstate and each other, not ${target}`;
    const bothCharts = file.endsWith('.machine.ts') && target.endsWith('.machine.ts');
    return bothCharts && !typesOnly ? `no machine holds another: ${target}` : null;
  }
  if (room === 'adapters') {
    const own = targetRoom === 'adapters' && (targetFolder === folder || targetFolder === 'wire');
    return own || targetRoom === 'machines'
      ? null
      : `an adapter imports machines, adapters/wire and its own folder, not ${target}`;
  }
  return rooms.includes(targetRoom)
    ? null
    : `app imports machines, adapters and app, not ${target}`;
}

function importsIn(program: Node): Import[] {
  const imports: Import[] = [];
  walk(program, (node) => {
    const source = node['source'] as Node | null | undefined;
    if (source?.type !== 'Literal' || typeof source['value'] !== 'string') return;
    const specifiers = (node['specifiers'] ?? []) as Node[];
    const kinds = [node, ...specifiers].map((each) => each['importKind'] ?? each['exportKind']);
    const typesOnly =
      node.type === 'TSImportType' ||
      kinds[0] === 'type' ||
      (specifiers.length > 0 && kinds.slice(1).every((kind) => kind === 'type'));
    imports.push({ at: node.start, from: source['value'], typesOnly });
  });
  return imports;
}

function isReExport(statement: Node): boolean {
  return (
    statement.type === 'ExportAllDeclaration' ||
    (statement.type === 'ExportNamedDeclaration' && Boolean(statement['source']))
  );
}

function impureWord(node: Node): string | null {
  if (node.type === 'Identifier' && impure.has(String(node['name']))) return String(node['name']);
  if (node.type !== 'MemberExpression') return null;
  const { object, property } = node as unknown as { object: Node; property: Node };
  return object['name'] === 'Math' && property['name'] === 'random' ? 'Math.random' : null;
}

/** `skip` or `only` of `it.skip(…)`, `describe.only.each(…)` and their like; null for others. */
function testMark(node: Node): string | null {
  if (node.type !== 'MemberExpression') return null;
  const { object, property } = node as unknown as { object: Node; property: Node };
  const word = String(property['name']);
  const ofTest = ['it', 'test', 'describe', 'suite'].includes(String(object['name']));
  return ofTest && ['skip', 'only', 'todo'].includes(word) ? word : null;
}

/** Visits every node but the names of properties, which refer to nothing. */
function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const [field, value] of Object.entries(node)) {
    const named = (field === 'key' || field === 'property') && node['computed'] !== true;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child === null || typeof child !== 'object' || !('type' in child)) continue;
      if (!(named && (child as Node).type === 'Identifier')) walk(child as Node, visit);
    }
  }
}

if (import.meta.main) {
  const breaches = findBreaches(process.cwd());
  for (const { file, line, rule } of breaches) console.error(`${file}:${line} ${rule}`);
  if (breaches.length > 0) process.exitCode = 1;
}
