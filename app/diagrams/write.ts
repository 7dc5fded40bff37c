/**
 * `npm run diagrams` draws every chart into `docs/diagrams`, as a page and as an SVG, and writes the failures into
 * `docs/troubleshooting.md` and the README; with `--check` it writes nothing, names each page that
 * differs and exits 1.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { chartSvg } from './chart-svg.ts';
import { loadCharts } from './charts.ts';
import { pageOf } from './mermaid.ts';
import { troubleshootingPage, withTroubleshooting } from './troubleshooting.ts';

const folder = 'docs/diagrams';

/** The pages that the machines of `root` ask for, by path; null for one that none asks for. */
export async function pagesOf(root: string): Promise<Map<string, string | null>> {
  const pages = new Map<string, string | null>();
  for (const page of globSync(`${folder}/*.{md,svg}`, { cwd: root })) pages.set(page, null);
  for (const chart of await loadCharts(root)) {
    pages.set(`${folder}/${chart.name}.md`, pageOf(chart));
    pages.set(`${folder}/${chart.name}.svg`, await chartSvg(chart.machine, { title: chart.name }));
  }
  const readme = join(root, 'README.md');
  if (existsSync(readme)) {
    pages.set('README.md', await pretty(withTroubleshooting(readFileSync(readme, 'utf8'))));
    pages.set('docs/troubleshooting.md', await pretty(troubleshootingPage()));
  }
  return pages;
}

const pretty = (markdown: string) => format(markdown, { parser: 'markdown' });

/** The paths of pages that are missing, differ, or belong to no chart. */
export async function stalePages(root: string): Promise<string[]> {
  const stale = [...(await pagesOf(root))].filter(([path, page]) => {
    const file = join(root, path);
    return page !== (existsSync(file) ? readFileSync(file, 'utf8') : null);
  });
  return stale.map(([path]) => path).toSorted();
}

async function write(root: string): Promise<void> {
  mkdirSync(join(root, folder), { recursive: true });
  for (const [path, page] of await pagesOf(root)) {
    if (page === null) rmSync(join(root, path));
    else writeFileSync(join(root, path), page);
  }
}

if (import.meta.main) {
  const root = process.cwd();
  if (process.argv.includes('--check')) {
    const stale = await stalePages(root);
    for (const path of stale) console.error(`${path} differs from the machines: npm run diagrams`);
    if (stale.length > 0) process.exitCode = 1;
  } else await write(root);
}
