/** One flow in one file that needs nothing else: for a bug report. */
import { hash } from 'node:crypto';
import type { DeviceSource } from './device-source.ts';
import { exportedFlow } from './exported-flow.ts';
import { bundled } from './page-bundle.ts';
import { pageFile } from './page-files.ts';

const linked = /<link rel="stylesheet" href="\/?([\w-]+\.css)"\s*\/?>\s*/g;
const scripted = /<script type="module" src="\/?([\w-]+\.js)"><\/script>\s*/g;

/**
 * The page with the flow of that id in it. It fetches nothing, and the scripts and styles in it are
 * the only ones that may run.
 *
 * @throws {Refusal} 404, 413
 */
export async function exportedPage(source: DeviceSource, id: string): Promise<string> {
  const data = await exportedFlow(source, id);
  const page = await textOf('page.html');
  const styles = await Promise.all(namesIn(page, linked).map((name) => textOf(name)));
  const scripts = await Promise.all(namesIn(page, scripted).map((name) => bundled(name)));
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  const policy = [
    "default-src 'none'",
    `script-src ${hashesOf(scripts)}`,
    `style-src ${hashesOf(styles)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    ...styles.map((text) => element('style', '', text)),
  ];
  const body = [
    element('script', ' type="application/json" id="exported"', json),
    ...scripts.map((text) => element('script', ' type="module"', text)),
  ];
  return page
    .replaceAll(linked, '')
    .replaceAll(scripted, '')
    .replace('</head>', () => `${head.join('\n')}\n</head>`)
    .replace('</body>', () => `${body.join('\n')}\n</body>`);
}

const namesIn = (page: string, pattern: RegExp) =>
  [...page.matchAll(pattern)].map(([, name = '']) => name);

async function textOf(name: string): Promise<string> {
  const file = await pageFile(name);
  if (file === null) throw new Error(`the page has no ${name}`);
  return file.text;
}

/** What a policy names them by; nothing when there is none. */
function hashesOf(texts: string[]): string {
  const sources = texts.map((text) => `'sha256-${hash('sha256', text, 'base64')}'`);
  return sources.length === 0 ? "'none'" : sources.join(' ');
}

function element(name: 'script' | 'style', attributes: string, text: string): string {
  if (text.includes(`</${name}`)) throw new Error(`a ${name} of the page ends within itself`);
  return `<${name}${attributes}>${text}</${name}>`;
}
