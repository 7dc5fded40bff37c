import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createMachine } from 'xstate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagramOf, pageOf } from '../../app/diagrams/mermaid.ts';
import { transitionsOf } from '../../app/diagrams/transitions.ts';
import { stalePages } from '../../app/diagrams/write.ts';
import { doorMachine } from '../fixture/door.machine.ts';

describe('a chart as Mermaid', () => {
  it('nests states and labels edges with event, guard and actions', () => {
    expect(diagramOf(doorMachine)).toBe(`stateDiagram-v2
  [*] --> night
  state "night" as night
  state "day" as day {
    [*] --> day_closed
    state "closed" as day_closed
    state "checking" as day_checking
    state "open" as day_open
  }
  state "broken" as broken
  broken --> [*]
  night --> day : day.began
  day_closed --> day_checking : bell.rung / countRing
  day_closed --> broken : always [isWornOut]
  day_checking --> day_open : done register [isKnown]
  day_checking --> day_closed : done register / note stranger
  day_checking --> broken : error register / note no register
  day_open --> day_closed : visit.ended<br>after openTime`);
  });

  it('draws the regions of a parallel state apart, and no edge into a state from around it', () => {
    const machine = createMachine({
      id: 'both',
      type: 'parallel',
      states: {
        left: {
          initial: 'on',
          on: { again: '.on', restart: { target: 'left', reenter: true } },
          states: { on: { on: { 'x;y': 'on' } } },
        },
        right: {},
      },
    });
    expect(diagramOf(machine)).toBe(`stateDiagram-v2
  state "left" as left {
    [*] --> left_on
    state "on" as left_on
  }
  --
  state "right" as right
  left_on --> left_on : x y`);
  });

  it('has every state and all that happens there below the chart', () => {
    const page = pageOf({ name: 'door', file: 'door.machine.ts', machine: doorMachine });
    expect(page).toContain(`### day.open

A guest walks through.

- bell.rung / countRing (stays)
- visit.ended → day.closed
- after openTime → day.closed
`);
    expect(page).toContain(`### day.checking

The guest is looked up.

- invokes: register
`);
  });

  it('names each transition once', () => {
    expect(transitionsOf(doorMachine).map(({ key }) => key)).toEqual([
      'door.night on day.began',
      'door.day.closed on bell.rung',
      'door.day.closed on always',
      'door.day.checking on done register',
      'door.day.checking on done register #2',
      'door.day.checking on error register',
      'door.day.open on bell.rung',
      'door.day.open on visit.ended',
      'door.day.open on after openTime',
    ]);
  });
});

describe('npm run diagrams', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'diagrams-'));
    cpSync('test/fixture', root, { recursive: true });
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (...argv: string[]) => {
    const script = resolve('app/diagrams/write.ts');
    const { status, stderr } = spawnSync(process.execPath, [script, ...argv], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stderr };
  };

  it('writes pages that its check accepts', async () => {
    expect(write()).toEqual({ status: 0, stderr: '' });
    expect(write('--check')).toEqual({ status: 0, stderr: '' });
    expect(await stalePages(root)).toEqual([]);
  });

  it('names the page that is missing, changed, or of no chart', () => {
    const missing = complaint('door.md') + complaint('door.svg');
    expect(write('--check')).toEqual({ status: 1, stderr: missing });
    mkdirSync(join(root, 'docs/diagrams'), { recursive: true });
    writeFileSync(join(root, 'docs/diagrams/door.md'), '# door\n');
    writeFileSync(join(root, 'docs/diagrams/window.md'), '# window\n');
    writeFileSync(join(root, 'docs/diagrams/window.svg'), '<svg/>\n');
    expect(write('--check')).toEqual({
      status: 1,
      stderr: missing + complaint('window.md') + complaint('window.svg'),
    });
    expect(write()).toEqual({ status: 0, stderr: '' });
    expect(write('--check')).toEqual({ status: 0, stderr: '' });
  });
});

function complaint(name: string): string {
  return `docs/diagrams/${name} differs from the machines: npm run diagrams\n`;
}
