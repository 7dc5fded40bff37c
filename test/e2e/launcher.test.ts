import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const trees: string[] = [];
let tree = '';

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'launcher-'));
  trees.push(tree);
  cpSync('app/bin', join(tree, 'app/bin'), { recursive: true });
  writeFileSync(join(tree, 'package.json'), '{"type":"module"}');
});

afterAll(() => trees.forEach((path) => rmSync(path, { recursive: true })));

describe('the launchers', () => {
  it('run the TypeScript sources of a checkout, and pass arguments and status on', () => {
    program('app/headset/vmux.ts', 'sources');
    program('dist/app/headset/vmux.js', 'published');
    expect(run('vmux', ['connect', 'host'])).toEqual({
      status: 7,
      stdout: 'sources connect host\n',
      stderr: '',
    });
  });

  it('run the published JavaScript where there are no sources', () => {
    program('dist/app/phone/signer.js', 'published');
    expect(run('signer', ['start'])).toEqual({
      status: 7,
      stdout: 'published start\n',
      stderr: '',
    });
  });

  it('say in two lines that Node is too old', () => {
    const preload = join(tree, 'old.mjs');
    writeFileSync(
      preload,
      `Object.defineProperty(process, 'version', { value: 'v22.12.0' });
       Object.defineProperty(process, 'versions', { value: { node: '22.12.0' } });`,
    );
    expect(run('vmux', ['--version'], {}, process.execPath, ['--import', preload])).toEqual({
      status: 2,
      stdout: '',
      stderr: tooOld('vmux', 'v22.12.0'),
    });
  });

  const old = olderNode();
  it.skipIf(old === null)(
    `say the same when an old Node starts them${old === null ? ' [skipped: no Node before 24 on this machine]' : ''}`,
    () => {
      expect(run('signer', ['--help'], {}, old?.path)).toEqual({
        status: 2,
        stdout: '',
        stderr: tooOld('signer', old?.version ?? ''),
      });
    },
  );

  it('keep compiled code in the state directory, for its owner only', () => {
    program('app/headset/vmux.ts', 'sources');
    const home = join(tree, 'home');
    mkdirSync(home, { mode: 0o700 });
    run('vmux', [], { VMUX_HOME: home });
    const written = readdirSync(home, { recursive: true, encoding: 'utf8' });
    expect(written.filter((path) => statSync(join(home, path)).mode & 0o077)).toEqual([]);
    expect(written).toContain('cache');
    expect(written.length).toBeGreaterThan(2);
  });

  it('make no state directory', () => {
    program('app/phone/signer.ts', 'sources');
    expect(run('signer', ['--help'], { SIGNER_HOME: join(tree, 'home') }).status).toBe(7);
    expect(existsSync(join(tree, 'home'))).toBe(false);
  });

  it('read no compiled code from a directory that others can write', () => {
    program('app/headset/vmux.ts', 'sources');
    const home = join(tree, 'home');
    mkdirSync(home);
    execFileSync('chmod', ['777', home]);
    run('vmux', [], { VMUX_HOME: home });
    expect(existsSync(join(home, 'cache'))).toBe(false);
  });
});

function tooOld(name: string, version: string): string {
  return (
    `${name} needs Node 24 or later (this is ${version})\n` +
    'hint: install it from https://nodejs.org; in a checkout, npm ci brings it and npx uses it\n'
  );
}

function program(path: string, word: string): void {
  mkdirSync(join(tree, path, '..'), { recursive: true });
  writeFileSync(
    join(tree, path),
    `export async function main(argv${path.endsWith('.ts') ? ': string[]' : ''}) {
       console.log('${word}', ...argv);
       return 7;
     }`,
  );
}

function run(
  name: string,
  argv: string[],
  env: Record<string, string> = {},
  node = process.execPath,
  options: string[] = [],
) {
  const nowhere = join(tree, 'nowhere');
  const { status, stdout, stderr } = spawnSync(
    node,
    [...options, join(tree, 'app/bin', `${name}.js`), ...argv],
    {
      env: { PATH: process.env['PATH'], VMUX_HOME: nowhere, SIGNER_HOME: nowhere, ...env },
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

function olderNode(): { path: string; version: string } | null {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    if (!existsSync(path)) continue;
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    const version = stdout?.trim() ?? '';
    if (version !== '' && Number.parseInt(version.slice(1), 10) < 24) return { path, version };
  }
  return null;
}
