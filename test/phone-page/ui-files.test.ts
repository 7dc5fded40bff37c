import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { filesBelow, pageFiles } from '../../app/phone/web/page-files.ts';

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'page-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'assets'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

it('has the files that there are, by their paths, and no others', () => {
  const find = filesBelow(
    folderWith({ 'index.html': 'page', 'assets/main-1.js': 'script', 'notes.txt': 'secret' }),
  );
  expect(find('/')).toEqual({
    type: 'text/html; charset=utf-8',
    body: new TextEncoder().encode('page'),
    immutable: false,
  });
  expect(find('/assets/main-1.js')?.immutable).toBe(true);
  const others = ['/index.html', '/notes.txt', '/assets', '/assets/', '', '/../package.json'];
  for (const path of [...others, '//', '/assets/../index.html', '/%2e%2e/x', '__proto__']) {
    expect(find(path)).toBeNull();
  }
});

it('builds the page in a checkout, once for all who want it at the same time', async () => {
  const [first, second] = await Promise.all([pageFiles(), pageFiles()]);
  const html = new TextDecoder().decode(first('/')?.body);
  const script = /src="(\/assets\/main-[\w-]+\.js)"/.exec(html)?.[1] ?? '';
  expect(second(script)?.body).toEqual(first(script)?.body);
  expect(first(script)).toMatchObject({
    type: 'text/javascript; charset=utf-8',
    immutable: true,
  });
  // The stand-in of the tests is not in it.
  expect(new TextDecoder().decode(first(script)?.body)).not.toContain('firstScene');
  expect(first('/sw.js')?.immutable).toBe(false);
  expect(first('/manifest.webmanifest')?.type).toBe('application/manifest+json');
  expect(first('/icons/apple-touch-icon.png')?.type).toBe('image/png');
  const again = performance.now();
  await pageFiles();
  expect(performance.now() - again).toBeLessThan(500);
});
