import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Opening } from '../../app/inspector/protocol.ts';
import { createBench, type Device, type RunningProgram } from '../support/program-driver.ts';

const bench = createBench('shared');
afterAll(() => bench.clear());

/** Until the address is printed; its file's path. */
async function started(device: Device, args: string[] = []) {
  const program = device.start(['inspect', '--no-open', ...args]);
  const [, address = ''] = await program.expect(/the inspector is at (file:\/\/\S+)\n/);
  return { program, file: fileURLToPath(address) };
}

/** Comes in as a browser would, and asks the first question. */
async function openingOf(file: string): Promise<Opening> {
  const [, target = ''] = /url=([^"]+)"/.exec(readFileSync(file, 'utf8')) ?? [];
  const entered = await fetch(target);
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
  const [, base = ''] = /url=(\/[\w-]{43})\//.exec(await entered.text()) ?? [];
  const pages = new URL(target).origin + base;
  const page = await fetch(`${pages}/`, { headers: { Cookie: cookie } });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const module = await fetch(`${pages}/page.js`, { headers: { Cookie: cookie } });
  expect(module.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const opening = await fetch(`${pages}/api/opening`, { headers: { Cookie: cookie } });
  return (await opening.json()) as Opening;
}

const tokensIn = (text: string) => text.match(/[\w-]{43}/g) ?? [];
const argumentsOf = ({ pid }: RunningProgram) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

describe('vmux inspect', () => {
  it('serves the page to the browser that its file leads there, until Ctrl-C', async () => {
    const headset = bench.device('vmux');
    const { program, file } = await started(headset);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(file.startsWith(`${headset.home}/`)).toBe(true);
    const { charts, ...opening } = await openingOf(file);
    expect(opening).toEqual({
      shows: 'headset',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      flows: [],
      driving: opening.driving,
      notices: [],
    });
    expect(charts.map(({ machine }) => machine).toSorted()).toEqual([
      'connection',
      'headset-pairing',
      'link',
      'signing',
    ]);
    expect(charts.every(({ svg }) => svg.startsWith('<svg ') && !svg.includes('<style'))).toBe(
      true,
    );
    program.kill('SIGINT');
    const { status, stderr } = await program.ended;
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /^if the browser cannot read that file: http:\/\/127\.0\.0\.1:\d+\/enter\?token=[\w-]{43}\nCtrl-C ends it\n$/,
    );
  });

  it('takes its file away when nobody came', async () => {
    const headset = bench.device('vmux');
    const { program } = await started(headset);
    program.kill('SIGTERM');
    expect((await program.ended).status).toBe(143);
    expect(readdirSync(headset.home).filter((name) => name.endsWith('.html'))).toEqual([]);
  });

  it('joins the phone’s inspector by an address that is typed, not shown in ps', async () => {
    const [headset, phone] = [bench.device('vmux'), bench.device('signer')];
    const onPhone = await started(phone);
    const [, address = ''] = await onPhone.program.expect(/within two minutes: (http:\S+)\n/);
    const program = headset.start(['inspect', '--no-open', '--phone', '-']);
    await program.expect('the address that signer inspect printed: ');
    program.type(`${address}\n`);
    const [, found = ''] = await program.expect(/the inspector is at (file:\/\/\S+)\n/);
    for (const running of [program, onPhone.program]) {
      expect(tokensIn(argumentsOf(running))).toEqual([]);
    }
    const opening = await openingOf(fileURLToPath(found));
    expect(opening.shows).toBe('both');
    expect(opening.charts).toHaveLength(6);
    expect((await openingOf(onPhone.file)).shows).toBe('phone');
    onPhone.program.kill('SIGINT');
    program.kill('SIGINT');
    expect(
      (await Promise.all([onPhone.program.ended, program.ended])).map(({ status }) => status),
    ).toEqual([130, 130]);
  });

  it('says in words what it cannot do', async () => {
    const headset = bench.device('vmux');
    const file = join(bench.directory, 'flow.html');
    const gone = `http://127.0.0.1:1/join#${'x'.repeat(43)}`;
    for (const [args, words] of [
      [['--phone', 'bench'], 'that is not an address which signer inspect prints'],
      [['--phone', gone], 'the other inspector does not answer'],
      [['--export', file], 'nothing was recorded yet'],
      [['--export', file, '--flow', 'connection/none'], 'there is no such flow in this log'],
      [['bench'], 'unexpected argument: bench'],
    ] as const) {
      const { status, stderr } = await headset.run(['inspect', ...args]);
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: `vmux: ${words}\nhint: see vmux inspect --help\n`,
      });
    }
  });

  it('opens what desktops open, and goes on where there is no desktop', async () => {
    const headset = bench.device('vmux');
    const program = headset.start(['inspect'], { env: { PATH: '/nonexistent' } });
    await program.expect(/the inspector is at file:/);
    program.kill('SIGINT');
    expect((await program.ended).status).toBe(130);
  });
});
