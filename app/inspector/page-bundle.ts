/** The page's modules as one script, for a file that has no server beside it. */
import { pageFile } from './page-files.ts';

/**
 * Each module becomes a function that runs once, after those that it imports. Takes what the page
 * is written in, and nothing more: `import { a, b as c } from './x.js'`, and `export` before a
 * function, a class or a constant. No circles.
 *
 * @throws {Error} on anything else: a bug of the page.
 */
export async function bundled(entry: string): Promise<string> {
  const done: string[] = [];
  const pieces: string[] = [];

  async function add(name: string, path: string[]): Promise<void> {
    if (path.includes(name)) throw new Error(`the page's modules go in circles: ${path.join(' ')}`);
    if (done.includes(name)) return;
    const file = await pageFile(name);
    if (file === null) throw new Error(`the page has no ${name}`);
    for (const [, , from = ''] of file.text.matchAll(imports)) await add(from, [...path, name]);
    done.push(name);
    pieces.push(wrapped(name, file.text));
  }

  await add(entry, []);
  return `'use strict';\nconst modules = {};\n${pieces.join('')}`;
}

const imports = /^import\s*\{([^}]*)\}\s*from\s*['"]\.\/([\w.-]+)['"];?/gm;
const exports = /^export\s+(?=((?:async\s+)?function\*?|class|const)\s+([\w$]+))/gm;

function wrapped(name: string, source: string): string {
  const names = [...source.matchAll(exports)].map(([, , exported = '']) => exported);
  const body = source
    .replace(imports, (_, list: string, from: string) => {
      const taken = list
        .replace(/([\w$]+)\s+as\s+([\w$]+)/g, '$1: $2')
        .replace(/\s+/g, ' ')
        .trim();
      return `const { ${taken} } = modules[${JSON.stringify(from)}];`;
    })
    .replace(exports, '')
    // What a compiler leaves in a module of types only.
    .replace(/^export \{\};?$/m, '');
  const left = /^\s*(import\b[^(.]|export\b).*$|\bimport\(/m.exec(body);
  if (left !== null) throw new Error(`${name} cannot be put into one script: ${left[0].trim()}`);
  return `modules[${JSON.stringify(name)}] = (() => {\n${body}\nreturn { ${names.join(', ')} };\n})();\n`;
}
