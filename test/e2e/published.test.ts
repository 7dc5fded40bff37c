import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Opening } from '../../app/inspector/protocol.ts';

const { version, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const unreachable = !registryAnswers();

describe.skipIf(unreachable)(
  `the published form${unreachable ? ' [skipped: no package registry answers]' : ''}`,
  () => {
    let folder = '';
    let packed: string[] = [];

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'published-'));
      const checkout = copyOfCheckout(join(folder, 'checkout'));
      const pack = npm(['pack', '--json', '--pack-destination', folder], checkout);
      const [tarball] = Object.values<{ filename: string; files: { path: string }[] }>(
        JSON.parse(pack.slice(pack.search(/^[[{]/m))),
      );
      packed = tarball?.files.map(({ path }) => path) ?? [];
      const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', installed()];
      npm(['install', '--global', ...options, join(folder, tarball?.filename ?? '')], folder);
    }, 300_000);

    afterAll(() => rmSync(folder, { recursive: true }));

    const installed = () => join(folder, 'installed');

    it('is JavaScript with its launchers, without sources and tests', () => {
      expect(packed).toContain('app/bin/vmux.js');
      expect(packed).toContain('app/bin/signer.js');
      expect(packed).toContain('dist/app/headset/vmux.js');
      expect(packed).toContain('dist/app/phone/signer.js');
      expect(packed).toContain('LICENSE');
      expect(packed.filter((path) => /\.ts$|(^|\/)test\//.test(path))).toEqual([]);
    });

    it('runs as a stranger installs it', () => {
      const release = { status: 0, stdout: `vmux ${version}\n`, stderr: '' };
      expect(run('vmux', ['--version'])).toEqual(release);
      const help = run('signer', ['--help']);
      expect(help.status).toBe(0);
      expect(help.stdout).toMatch(/^ +(signer )?start\b/m);
      expect(help.stderr).toBe('');
    });

    it('makes no state directory before it has something to keep', () => {
      run('vmux', ['--version']);
      run('signer', ['--help']);
      expect(existsSync(join(folder, 'home'))).toBe(false);
    });

    it.each([
      ['vmux', ['connection', 'link', 'signing', 'headset-pairing']],
      ['signer', ['phone-pairing', 'signer']],
    ])('%s inspect serves its page and draws the charts', async (name, charts) => {
      const { origin, stop } = await inspect(name);
      try {
        const entered = await fetch(origin.enter);
        const Cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
        const [, base = ''] = /url=(\/[\w-]{43})\//.exec(await entered.text()) ?? [];
        const get = (path: string) =>
          fetch(`${origin.base}${base}${path}`, { headers: { Cookie } });
        for (const path of ['/', '/page.js', '/page.css', '/charts.css', '/sequence.js'])
          expect((await get(path)).status, path).toBe(200);
        const opening = (await (await get('/api/opening')).json()) as Opening;
        expect(opening.charts.map(({ machine }) => machine)).toEqual(charts);
        expect(opening.charts.every(({ svg }) => svg.startsWith('<svg'))).toBe(true);
      } finally {
        expect(await stop()).toBe(130);
      }
    });

    async function inspect(name: string) {
      const child = spawn(join(installed(), 'bin', name), ['inspect', '--no-open'], {
        cwd: folder,
        env: { PATH: pathWithThisNode(), HOME: join(folder, 'home') },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const exited = once(child, 'exit');
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      while (!said.includes('Ctrl-C ends it')) {
        if (child.exitCode !== null) throw new Error(said);
        await Promise.race([once(child.stderr, 'data'), exited]);
      }
      const [enter = '', base = ''] = /(http:\/\/127\.0\.0\.1:\d+)\/enter\S+/.exec(said) ?? [];
      return {
        origin: { enter, base },
        async stop() {
          child.kill('SIGINT');
          const [status] = await exited;
          return status;
        },
      };
    }

    function run(name: string, argv: string[]) {
      const { status, stdout, stderr } = spawnSync(join(installed(), 'bin', name), argv, {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: pathWithThisNode(), HOME: join(folder, 'home') },
      });
      return { status, stdout, stderr };
    }
  },
);

/** What `npm pack` reads, apart from the checkout that others may be using. */
function copyOfCheckout(folder: string): string {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { files: string[] };
  const sources = ['machines', 'adapters', 'app', 'package.json', 'tsconfig.json'];
  for (const path of new Set([...sources, 'tsconfig.build.json', ...files]))
    if (path !== 'dist' && existsSync(path)) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}

function npm(argv: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync('npm', argv, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: pathWithThisNode() },
  });
  if (status !== 0) throw new Error(`npm ${argv[0]}: ${stdout}${stderr}`);
  return stdout;
}

function registryAnswers(): boolean {
  const { status } = spawnSync(
    'npm',
    ['view', `xstate@${dependencies.xstate}`, 'version', '--fetch-retries=0'],
    { timeout: 30_000 },
  );
  return status === 0;
}

function pathWithThisNode(): string {
  return [dirname(process.execPath), process.env['PATH']].join(delimiter);
}
