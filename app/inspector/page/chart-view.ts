/** One drawn chart: which states are lit, which transition is strong, how large it is. */
import type { DrawnChart, MachineView } from '../protocol.ts';
import { button, el, fill } from './dom.ts';
import { isCalm } from './motion.ts';
import { secondsLeft } from './words.ts';

export interface ChartView {
  readonly element: HTMLElement;
  /** `now`: the moment for which clocks are shown, on the wall clock. */
  show(view: MachineView | null, now: number): void;
  /** Clocks only. */
  tick(view: MachineView, now: number): void;
}

const svgType = 'image/svg+xml';
/** Smaller than this nobody reads. */
const LEAST = 0.9;
const STEP = 1.2;

export function createChartView({ machine, svg }: DrawnChart): ChartView {
  const drawing = document.importNode(
    new DOMParser().parseFromString(svg, svgType).documentElement,
    true,
  ) as unknown as SVGSVGElement;
  const width = drawing.viewBox.baseVal.width || 500;
  const states = byData('state');
  const transitions = byData('transition');
  const scroller = el(
    'div',
    { class: 'scroller', tabindex: 0, role: 'group', 'aria-label': `chart of ${machine}` },
    drawing as unknown as Node,
  );
  const zooms = el(
    'div',
    { class: 'zooms' },
    button('−', () => zoom(scale / STEP), { 'aria-label': `make ${machine} smaller` }),
    button('fit', () => zoom(fitting()), { 'aria-label': `fit ${machine} to the column` }),
    button('+', () => zoom(scale * STEP), { 'aria-label': `make ${machine} larger` }),
  );
  const element = el('div', { class: 'drawing' }, scroller, zooms);
  let scale = 1;
  let isTouched = false;
  let lit: Element[] = [];
  /** The innermost active state. */
  let inside: Element | undefined;
  let size = 0;

  const fitting = () => Math.min(1.4, (scroller.clientWidth - 4) / width);
  function zoom(to: number): void {
    isTouched = true;
    resize(to);
  }
  function resize(to: number): void {
    scale = Math.min(4, Math.max(0.2, to));
    drawing.style.width = `${width * scale}px`;
    drawing.style.height = 'auto';
  }
  new ResizeObserver(() => {
    const wasHidden = size === 0;
    size = scroller.clientWidth;
    if (size === 0) return;
    if (!isTouched) resize(Math.max(LEAST, fitting()));
    if (wasHidden) reveal(inside, scroller, 'instant');
  }).observe(scroller);
  scroller.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? scale * STEP : scale / STEP);
    },
    { passive: false },
  );

  function byData(name: 'state' | 'transition'): Map<string, Element> {
    const all = [...drawing.querySelectorAll(`[data-${name}]`)];
    return new Map(all.map((one) => [one.getAttribute(`data-${name}`) ?? '', one]));
  }

  function mark(element: Element | undefined, word: 'active' | 'taken'): void {
    if (element === undefined) return;
    element.classList.add(word);
    lit.push(element);
    // Lines that share a way with a strong one would be drawn over it.
    if (word === 'taken') element.parentElement?.append(element);
  }

  function tick({ clocks }: MachineView, now: number): void {
    for (const text of drawing.querySelectorAll('[data-clock]')) fill(text);
    for (const { state, delay, since, milliseconds } of clocks) {
      const text = states.get(state)?.querySelector(`[data-clock="${CSS.escape(delay)}"]`);
      if (text) fill(text, secondsLeft(since, milliseconds, now));
    }
  }

  return {
    element,
    tick,
    show(view, now) {
      for (const element of lit) element.classList.remove('active', 'taken');
      lit = [];
      inside = view === null ? undefined : states.get(view.active.at(-1) ?? '');
      if (view === null) return;
      for (const id of view.active) mark(states.get(id), 'active');
      for (const key of view.taken) mark(transitions.get(key), 'taken');
      tick(view, now);
      reveal(inside, scroller, isCalm() ? 'instant' : 'smooth');
    },
  };
}

/** Scrolls the chart, and nothing around it. */
function reveal(state: Element | undefined, scroller: HTMLElement, behavior: ScrollBehavior): void {
  const box = state?.querySelector('rect')?.getBoundingClientRect();
  const frame = scroller.getBoundingClientRect();
  if (box === undefined || frame.height === 0) return;
  const isInSight = box.top >= frame.top + 8 && box.bottom <= frame.bottom - 8;
  // A scroll that still goes on, to the state before this one, would take it out of sight.
  if (isInSight) return scroller.scrollTo({ top: scroller.scrollTop, behavior: 'instant' });
  const room = Math.max(24, (frame.height - box.height) / 2);
  scroller.scrollTo({ top: scroller.scrollTop + box.top - frame.top - room, behavior });
}
