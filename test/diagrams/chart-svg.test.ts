import { spawnSync } from 'node:child_process';
import { createMachine, type AnyStateMachine } from 'xstate';
import { describe, expect, it } from 'vitest';
import { chartSvg } from '../../app/diagrams/chart-svg.ts';
import { chartStyle } from '../../app/diagrams/chart-style.ts';
import { loadCharts } from '../../app/diagrams/charts.ts';
import { statesOf, transitionsOf } from '../../app/diagrams/transitions.ts';
import { doorMachine } from '../fixture/door.machine.ts';
import { clashes, drawingOf, inside, overlap } from './drawing.ts';

/** What none of our charts has: regions, several targets, ways to the root, words of any length. */
const oddMachine = createMachine({
  id: 'odd',
  type: 'parallel',
  description:
    '"Less" < more & all of it, in a sentence that goes on for longer than any chart is wide.',
  on: {
    restarted: { target: '#odd', reenter: true },
    both: { target: ['.left.off', '.right.off'] },
  },
  states: {
    left: {
      initial: 'on',
      states: {
        on: {
          on: { 'event.whose.name.is.longer.than.any.line.that.a.chart.has.room.for': 'off' },
          after: { 1000: 'off' },
        },
        off: {
          always: { target: '#odd' },
          on: { out: '#odd.right', again: { target: 'off', reenter: true } },
        },
      },
    },
    right: {
      initial: 'off',
      states: {
        off: {},
        aStateWhoseNameIsLongerThanAnythingThatAnybodyWouldEverType: { type: 'final' },
      },
    },
  },
});

const charts: { name: string; machine: AnyStateMachine }[] = [
  ...(await loadCharts(process.cwd())),
  { name: 'door', machine: doorMachine },
  { name: 'odd', machine: oddMachine },
];

describe.each(charts)('the drawing of $name', async ({ machine }) => {
  const svg = await chartSvg(machine);
  const drawing = drawingOf(svg);

  it('has every state and every transition once, in the order of the source', () => {
    const nodes = [machine.root, ...statesOf(machine)];
    expect(drawing.states.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
    const keys = transitionsOf(machine).map(({ key }) => key);
    expect(drawing.transitions.map(({ key }) => key)).toEqual(keys);
  });

  it('keeps the order of the source from top to bottom', () => {
    const tops = drawing.states.map(({ box }) => box.y);
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    const rows = drawing.transitions.map(({ row }) => row.y);
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
  });

  it('draws a state inside its parent and apart from every other', () => {
    const nodes = new Map([machine.root, ...statesOf(machine)].map((node) => [node.id, node]));
    const faults = drawing.states.flatMap((state, i) =>
      drawing.states.slice(i + 1).flatMap((other) => {
        const isParent = nodes.get(other.id)!.parent?.id === state.id;
        const isAbove = nodes
          .get(other.id)!
          .path.join()
          .startsWith(nodes.get(state.id)!.path.join());
        const isRight = isParent
          ? inside(other.box, state.box)
          : isAbove || !overlap(other.box, state.box);
        return isRight ? [] : [`${state.id} and ${other.id}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it('lets no words leave their state, or touch other words or a state inside', () => {
    expect(clashes(drawing)).toEqual([]);
  });

  it('leads no line through words, nor two ways along each other', () => {
    const sources = new Map(transitionsOf(machine).map((each) => [each.key, each]));
    const faults: string[] = [];
    for (const { key, segments } of drawing.transitions) {
      for (const segment of segments) {
        for (const other of drawing.labels)
          if (other.key !== key && overlap(segment, other.box))
            faults.push(`${key} over ${other.text}`);
        for (const other of drawing.transitions) {
          const [mine, its] = [sources.get(key)!.targets, sources.get(other.key)!.targets];
          if (its.some((target) => mine.includes(target))) continue;
          for (const theirs of other.segments)
            if (segment.x === theirs.x && segment.width === 0 && theirs.width === 0)
              if (overlap(segment, theirs)) faults.push(`${key} along ${other.key}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it('leads every line to the state that it means, and none where the state stays', () => {
    const boxes = new Map(drawing.states.map(({ id, box }) => [id, box]));
    const ends = drawing.transitions.map(({ key, heads }) => [key, heads.map(({ x }) => x)]);
    const edges = transitionsOf(machine).map(({ key, targets }) => [
      key,
      targets.map(({ id }) => boxes.get(id)!.x + boxes.get(id)!.width),
    ]);
    expect(ends).toEqual(edges);
    const starts = [...svg.matchAll(/<path d="M([.\d]+) [.\d]+H([.\d]+)Q/g)];
    expect(starts).toHaveLength(transitionsOf(machine).flatMap(({ targets }) => targets).length);
    expect(starts.filter(([, from, to]) => Number(from) >= Number(to))).toEqual([]);
    for (const [i, { targets }] of transitionsOf(machine).entries())
      for (const [j, { id }] of targets.entries()) {
        const { y } = drawing.transitions[i]!.heads[j]!;
        expect(y).toBeGreaterThan(boxes.get(id)!.y);
        expect(y).toBeLessThan(boxes.get(id)!.y + 32);
      }
  });

  it('stays inside its own frame, and has neither script nor reference', () => {
    expect(drawing.states.every(({ box }) => inside(box, drawing.frame))).toBe(true);
    expect(
      drawing.transitions
        .flatMap(({ segments }) => segments)
        .every((each) => inside(each, drawing.frame)),
    ).toBe(true);
    expect(svg).not.toMatch(/<script|href=|url\(| id=| style=| on\w+=/);
  });
});

describe('a chart as SVG', () => {
  it('has the same bytes in another process', async () => {
    const script = `
      import { chartSvg } from './app/diagrams/chart-svg.ts';
      import { loadCharts } from './app/diagrams/charts.ts';
      for (const { machine } of await loadCharts('.')) console.log(await chartSvg(machine));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const here = await Promise.all(
      (await loadCharts(process.cwd())).map(({ machine }) => chartSvg(machine)),
    );
    expect(stdout).toBe(here.map((svg) => `${svg}\n`).join(''));
  });

  it('says on hover what a state is and what a transition does', async () => {
    const svg = await chartSvg(doorMachine);
    expect(hintOf(svg, 'data-state="door.day.open"')).toBe('A guest walks through.');
    expect(hintOf(svg, 'data-transition="door.day.checking on done register #2"')).toBe(
      'done register: goes from day.checking to day.closed, doing note stranger',
    );
    expect(hintOf(svg, 'data-transition="door.day.open on bell.rung"')).toBe(
      'bell.rung: stays in day.open, doing countRing',
    );
  });

  it('names events, guards in brackets, actions after a slash, delays, invoked actors', async () => {
    const { labels } = drawingOf(await chartSvg(doorMachine));
    const said = labels
      .filter(({ id, key }) => (id ?? key)?.startsWith('door.day.'))
      .map(({ text }) => text);
    expect(said).toEqual([
      'closed',
      'checking',
      'invoke register',
      'open',
      'bell.rung / countRing → checking',
      'always [isWornOut] → broken',
      'done register [isKnown] → open',
      'done register / note stranger → closed',
      'error register / note no register',
      '  → broken',
      'bell.rung / countRing',
      'visit.ended → closed',
      'after openTime → closed',
    ]);
  });

  it('marks initial states, final states, regions and clocks', async () => {
    const [door, odd] = [await chartSvg(doorMachine), await chartSvg(oddMachine)];
    expect(count(door, 'class="initial"')).toBe(2);
    expect(count(door, 'class="inner"')).toBe(1);
    expect(count(door, 'class="region"')).toBe(0);
    expect(count(door, 'data-clock="openTime"')).toBe(1);
    expect(count(odd, 'class="initial"')).toBe(2);
    expect(count(odd, 'class="inner"')).toBe(1);
    expect(count(odd, 'class="region"')).toBe(1);
    expect(count(odd, 'data-clock="1000"')).toBe(1);
  });

  it('has a name for those who cannot see it, and any title', async () => {
    expect(await chartSvg(oddMachine, { title: 'a <b>' })).toContain(
      'role="img" aria-label="Statechart of a &lt;b&gt;. &quot;Less&quot; &lt; more &amp; all of it, in',
    );
  });

  it('carries its style, which follows the reader’s scheme and takes other colours', async () => {
    expect(await chartSvg(doorMachine)).toContain(`<style>${chartStyle}</style>`);
    expect(chartStyle).toContain(
      '@media (prefers-color-scheme:dark){:where(svg.chart){--chart-ground:#',
    );
    expect(chartStyle).toContain('--chart-ground:light-dark(#');
    const outside = chartStyle.replaceAll(/:where\(svg\.chart\)\{[^}]*\}/g, '');
    expect(outside).not.toContain('#');
  });
});

function hintOf(svg: string, mark: string): string | undefined {
  return /<title>([^<]*)</.exec(svg.slice(svg.indexOf(mark)))?.[1];
}

const count = (svg: string, mark: string) => svg.split(mark).length - 1;
