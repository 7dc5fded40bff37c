import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBreaches } from './fence.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fence-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The breaches of a tree of these files, as `file:line rule`. */
function breaches(files: Record<string, string>): string[] {
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  return findBreaches(root).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

describe('the fence', () => {
  it('lets imports through that point at machines', () => {
    expect(
      breaches({
        'machines/a.machine.ts': `import { setup } from 'xstate';\nimport type { B } from './b.machine.ts';\nimport { port } from './ports.ts';`,
        'adapters/ssh/client.ts': `import ssh2 from 'ssh2';\nimport { readFileSync } from 'node:fs';\nimport type { F } from '../../machines/ports.ts';\nimport { x } from '../wire/ssh-wire.ts';`,
        'app/headset/vmux.ts': `import { a } from '../../machines/a.machine.ts';\nimport { c } from '../../adapters/ssh/client.ts';\nawait import('../face.ts');`,
        'test/e2e/all.test.ts': `import { c } from '../../adapters/ssh/client.ts';`,
      }),
    ).toEqual([]);
  });

  it('stops a machine that imports anything but xstate and machines', () => {
    expect(
      breaches({
        'machines/a.machine.ts': `import { x } from 'rxjs';\nimport type { S } from 'node:net';\nexport { c } from '../adapters/ssh/client.ts';\nconst d = await import('../app/b.ts');`,
      }),
    ).toEqual([
      'machines/a.machine.ts:1 machines import xstate and each other, not rxjs',
      'machines/a.machine.ts:2 machines import xstate and each other, not node:net',
      'machines/a.machine.ts:3 machines import xstate and each other, not adapters/ssh/client.ts',
      'machines/a.machine.ts:4 machines import xstate and each other, not app/b.ts',
    ]);
  });

  it('stops a machine that holds another', () => {
    expect(
      breaches({
        'machines/a.machine.ts': `import { type T, b } from './b.machine.ts';\nimport { type U } from './b.machine.ts';`,
      }),
    ).toEqual(['machines/a.machine.ts:1 no machine holds another: machines/b.machine.ts']);
  });

  it('stops time, chance and the process inside machines, in code and not in words', () => {
    expect(
      breaches({
        'machines/failures.ts': `// Date\nexport const hint = 'Date, setTimeout';\nexport const data = { Date: 1 }.Date;`,
        'machines/a.machine.ts': `const t = Date.now();\nsetTimeout(() => t, 1);\nconst r = Math.random();\nconst u = crypto.randomUUID();`,
      }),
    ).toEqual([
      'machines/a.machine.ts:1 machines are pure: no Date',
      'machines/a.machine.ts:2 machines are pure: no setTimeout',
      'machines/a.machine.ts:3 machines are pure: no Math.random',
      'machines/a.machine.ts:4 machines are pure: no crypto',
    ]);
  });

  it('stops an adapter that imports another, or the app', () => {
    expect(
      breaches({
        'adapters/ssh/client.ts': `import { k } from '../keys/p256.ts';\nimport type { H } from '../../app/headset/vmux.ts';`,
      }),
    ).toEqual([
      'adapters/ssh/client.ts:1 an adapter imports machines, adapters/wire and its own folder, not adapters/keys/p256.ts',
      'adapters/ssh/client.ts:2 an adapter imports machines, adapters/wire and its own folder, not app/headset/vmux.ts',
    ]);
  });

  it('stops an app that imports tests', () => {
    expect(breaches({ 'app/a.ts': `import '../test/support/sshd.ts';` })).toEqual([
      'app/a.ts:1 app imports nothing from test',
    ]);
  });

  it('stops barrels and folders called utils', () => {
    expect(
      breaches({
        'app/index.ts': `export const a = 1;`,
        'app/all.ts': `export * from './a.ts';\nexport { b } from './b.ts';`,
        'app/utils/a.ts': `export const a = 1;`,
      }),
    ).toEqual([
      'app/all.ts:1 no barrels: a file that only re-exports',
      'app/index.ts:1 no barrels: import the file itself',
      'app/utils/a.ts:1 no folder is called utils',
    ]);
  });

  it('stops a file of more than 250 lines, tests excepted', () => {
    const long = 'export const a = 1;\n' + '// line\n'.repeat(250);
    expect(breaches({ 'app/long.ts': long, 'test/long.test.ts': long })).toEqual([
      'app/long.ts:251 251 lines: past 250 a file is two things',
    ]);
  });

  it('stops a test that is left out or run alone', () => {
    const marked = ['it', 'describe'].map((name) => `${name}.only('x', () => {});`).join('\n');
    expect(
      breaches({
        'test/a.test.ts': `${marked}\nit.skip.each([1])('x', () => {});\nit.skipIf(true)('y', () => {});\n[1].skip();`,
      }),
    ).toEqual([
      'test/a.test.ts:1 a test is marked .only',
      'test/a.test.ts:2 a test is marked .only',
      'test/a.test.ts:3 a test is marked .skip',
    ]);
  });

  it('stops a class that is named after nothing', () => {
    expect(breaches({ 'app/a.ts': `export class LinkManager {}` })).toEqual([
      'app/a.ts:1 no class LinkManager: name it after what it is',
    ]);
  });

  it('reports a file that does not parse', () => {
    expect(breaches({ 'app/a.ts': `const = 1;` })).toEqual([
      expect.stringMatching(/^app\/a\.ts:1 does not parse: /),
    ]);
  });
});
