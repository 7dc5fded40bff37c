import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mutantsOf } from './mutants.ts';

describe('the mutants of a chart', () => {
  it('lack one transition or one use of a guard each', () => {
    const mutants = mutantsOf({
      id: 'm',
      on: { a: '.x', b: [{ guard: 'g', target: '.x' }, '.y'] },
      states: {
        x: {
          invoke: { id: 'port', src: 'p', onDone: { guard: () => true, target: 'y' }, onError: {} },
          after: { wait: 'y' },
        },
        y: { always: { guard: { type: 'h' }, target: 'x' }, onDone: 'x' },
      },
    });
    expect(mutants.map(({ name }) => name)).toEqual([
      'm on a: removed',
      'm on b: removed',
      'm on b: without guard g',
      'm on b #2: removed',
      'm.x on done port: removed',
      'm.x on done port: without guard inline',
      'm.x on error port: removed',
      'm.x on after wait: removed',
      'm.y on done: removed',
      'm.y on always: removed',
      'm.y on always: without guard h',
    ]);
  });

  it('differ from the chart in nothing else, and leave it whole', () => {
    const chart = {
      id: 'm',
      states: { x: { on: { a: [{ guard: 'g', target: 'y' }, { target: 'x' }] } }, y: {} },
    };
    const before = structuredClone(chart);
    const made = mutantsOf(chart).map(({ config }) => config['states']);
    expect(made).toEqual([
      { x: { on: { a: [{ target: 'x' }] } }, y: {} },
      { x: { on: { a: [{ target: 'y' }, { target: 'x' }] } }, y: {} },
      { x: { on: { a: [{ guard: 'g', target: 'y' }] } }, y: {} },
    ]);
    expect(chart).toEqual(before);
  });
});

describe('npm run mutate', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mutate-'));
    cpSync('test/fixture', root, { recursive: true });
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('names the mutant that no story notices', () => {
    expect(mutate()).toEqual({
      status: 1,
      stdout: [
        'survived: door.day.open on bell.rung: removed',
        'door: killed 10/11',
        'killed 10/11',
        '',
      ].join('\n'),
    });
  });

  it('is content when the stories notice every mutant', () => {
    const story = `
      import { createActor } from 'xstate';
      import { expect, it } from 'vitest';
      import { doorMachine } from './door.machine.ts';
      it('the bell counts while the door is open', () => {
        const snapshot = doorMachine.resolveState({
          value: { day: 'open' },
          context: { rings: 0, reason: null },
        });
        const actor = createActor(doorMachine, { snapshot }).start();
        actor.send({ type: 'bell.rung' });
        expect(actor.getSnapshot().context.rings).toBe(1);
      });`;
    writeFileSync(join(root, 'door.open.story.test.ts'), story);
    expect(mutate()).toEqual({ status: 0, stdout: 'door: killed 11/11\nkilled 11/11\n' });
  });

  it('judges no chart whose stories fail by themselves', () => {
    const story = `
      import './door.machine.ts';
      import { expect, it } from 'vitest';
      it('lies', () => expect(1).toBe(2));`;
    writeFileSync(join(root, 'door.false.story.test.ts'), story);
    expect(mutate()).toEqual({
      status: 1,
      stdout: [
        'not judged: door, unmutated, fails: as it is > lies',
        'door: killed 0/11',
        'killed 0/11',
        '',
      ].join('\n'),
    });
  });

  it('takes no notice of stories about other charts', () => {
    const story = `import { expect, it } from 'vitest'; it('lies', () => expect(1).toBe(2));`;
    writeFileSync(join(root, 'window.story.test.ts'), story);
    expect(mutate().stdout).toContain('door: killed 10/11\n');
  });

  it('judges no chart whose stories do not load', () => {
    writeFileSync(join(root, 'door.broken.story.test.ts'), `throw new Error('broken');`);
    expect(mutate()).toEqual({
      status: 1,
      stdout: 'not judged: door: broken\ndoor: killed 0/11\nkilled 0/11\n',
    });
  });

  it('judges no chart without a story', () => {
    rmSync(join(root, 'door.story.test.ts'));
    expect(mutate()).toEqual({
      status: 1,
      stdout: 'not judged: door: no story was found\ndoor: killed 0/11\nkilled 0/11\n',
    });
  });

  function mutate() {
    const { status, stdout } = spawnSync(
      process.execPath,
      ['test/mutate/mutate.ts', '--root', root, '--stories', '.'],
      { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
    );
    return { status, stdout };
  }
});
