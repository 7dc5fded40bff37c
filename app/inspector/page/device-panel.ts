/** One device's charts: the machines of the flow as tabs, the state in words, its clocks, what if. */
import type { Device, DrawnChart, MachineView } from '../protocol.ts';
import { createChartView, type ChartView } from './chart-view.ts';
import { el, fill } from './dom.ts';
import { memoryTree } from './memory.ts';
import { keyOf } from './moments.ts';
import type { Source } from './source.ts';
import { createTabs } from './tabs.ts';
import { createWhatIfPanel } from './what-if.ts';
import { secondsLeft, stateWords } from './words.ts';

export interface DevicePanel {
  readonly element: HTMLElement;
  /**
   * `views`: the flow's machines of this device. `moved`: which of them is wanted, because the
   * event reached it; null: the one that tells the flow.
   * `moment`: `at event 12`.
   */
  show(views: MachineView[], moved: string | null, moment: string, now: number): void;
  /** Time goes on while nothing happens. */
  tick(now: number): void;
}

/** `nothing`: said where the flow has no machine of this device. */
export function createDevicePanel(
  device: Device,
  charts: DrawnChart[],
  source: Source,
  nothing: string,
): DevicePanel {
  const drawn = new Map<string, ChartView>();
  let views: MachineView[] = [];
  let machine = '';
  let pinned: string | null = null;
  let copy: MachineView | null = null;
  let [moment, now] = ['', 0];

  const tabs = createTabs(`${device}’s machines`, `${device}-chart`, (name) => {
    pinned = name;
    machine = name;
    draw();
  });
  const words = el('p', { class: 'state-words', 'aria-live': 'polite' });
  const clocks = el('p', { class: 'clocks' });
  const banner = el('p', { class: 'banner', role: 'status' });
  const place = el('div', {
    class: 'chart-place',
    role: 'tabpanel',
    id: `${device}-chart`,
    'aria-label': `${device}’s chart`,
  });
  const memory = el('details', { class: 'memory-of' }, el('summary', {}, 'Memory'));
  const memoryBody = el('div', { class: 'memory-body', tabindex: 0, 'aria-label': 'memory' });
  memoryBody.setAttribute('role', 'group');
  memory.append(memoryBody);
  memory.addEventListener('toggle', () => drawMemory());
  const whatIf = createWhatIfPanel(source, (tried, text) => {
    copy = tried;
    fill(banner, text);
    draw();
  });
  const empty = el('p', { class: 'quiet empty' }, nothing);
  const element = el(
    'section',
    { class: `device ${device}`, 'aria-label': device },
    el('div', { class: 'device-head' }, el('h2', {}, device), tabs.element),
    words,
    clocks,
    banner,
    place,
    whatIf.element,
    memory,
  );

  const shown = () => copy ?? views.find((view) => view.machine === machine) ?? null;

  function draw(): void {
    const view = shown();
    const chart = chartOf(machine);
    if (chart === null) fill(place, empty);
    else if (!place.contains(chart.element)) fill(place, chart.element);
    chart?.show(view, now);
    tabs.show(
      views.map((one) => one.machine),
      machine,
    );
    for (const more of [whatIf.element, memory]) more.hidden = view === null;
    fill(words, view === null ? '' : stateText(view));
    element.classList.toggle('is-copy', copy !== null);
    drawClocks();
    drawMemory();
    const real = views.find((one) => one.machine === machine);
    whatIf.at(real ?? null, moment);
  }

  function chartOf(name: string): ChartView | null {
    const chart = charts.find((one) => one.machine === name && one.device === device);
    if (chart === undefined) return null;
    const view = drawn.get(name) ?? createChartView(chart);
    drawn.set(name, view);
    return view;
  }

  function drawClocks(): void {
    const view = shown();
    fill(
      clocks,
      (view?.clocks ?? [])
        .map((one) => `${one.delay} ${secondsLeft(one.since, one.milliseconds, now)} left`)
        .join(' · '),
    );
  }

  function drawMemory(): void {
    if (memory.open) fill(memoryBody, memoryTree(shown()?.context ?? null));
  }

  return {
    element,
    show(all, moved, when, at) {
      const known = all.map(keyOf).join();
      const isNew = !views.some((view) => all.some((one) => one.stream === view.stream));
      views = all;
      [moment, now] = [when, at];
      element.dataset['frame'] = known;
      if (isNew) pinned = null;
      const names = all.map((one) => one.machine);
      if (pinned !== null && names.includes(pinned)) machine = pinned;
      else if (moved !== null && names.includes(moved)) machine = moved;
      else machine = firstOf(names);
      draw();
    },
    tick(at) {
      now = at;
      const view = shown();
      if (view === null || copy !== null) return;
      chartOf(machine)?.tick(view, at);
      drawClocks();
    },
  };
}

/** The machine that tells the flow before the one that only carries it. */
const firstOf = (names: string[]) => names.find((name) => name !== 'link') ?? names[0] ?? '';

function stateText({ value, status, ignored }: MachineView): string {
  const ending = status === 'error' ? ' (a fault ended it)' : '';
  return `${stateWords(value)}${ending}${ignored ? ' — ignored here' : ''}`;
}
