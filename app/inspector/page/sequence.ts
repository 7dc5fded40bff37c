/** The events of a flow as arrows between four lanes. Only the rows in sight are in the page. */
import type { EventRow, Lane } from '../protocol.ts';
import { el, fill } from './dom.ts';
import { eventWord, sinceStart, telling } from './words.ts';

export interface Sequence {
  readonly element: HTMLElement;
  /** Another flow, or more rows of this one. */
  show(rows: EventRow[]): void;
  /** Marks a row and brings it into sight. */
  choose(index: number): void;
}

const lanes: Lane[] = ['person', 'phone', 'headset', 'server'];
/** Height of a row in CSS pixels, as in `page.css`. */
const ROW = 52;
const MARGIN = 6;

export function createSequence(chosen: (index: number) => void): Sequence {
  let rows: EventRow[] = [];
  let current = -1;
  let drawnFrom = -1;
  /** Rows keep their elements: one that is replaced between press and release gets no click. */
  let drawn = new Map<EventRow, HTMLElement>();
  const inside = el('div', { class: 'rows', role: 'presentation' });
  const list = el(
    'div',
    { class: 'sequence', role: 'listbox', tabindex: 0, 'aria-label': 'events, in order of time' },
    inside,
  );
  const element = el(
    'section',
    { class: 'events', 'aria-label': 'sequence of events' },
    el(
      'div',
      { class: 'lane-heads', 'aria-hidden': 'true' },
      el('span', { class: 'time' }, 'time'),
      el('div', { class: 'heads' }, ...lanes.map((lane) => el('span', {}, lane))),
    ),
    list,
  );

  function draw(again = false): void {
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN);
    if (from === drawnFrom && !again) return;
    drawnFrom = from;
    const count = Math.ceil((list.clientHeight || 600) / ROW) + 2 * MARGIN;
    const kept = new Map<EventRow, HTMLElement>();
    let next = inside.firstElementChild;
    inside.style.height = `${rows.length * ROW}px`;
    rows.slice(from, from + count).forEach((row, i) => {
      const element = drawn.get(row) ?? drawRow(row);
      place(element, row, from + i);
      if (element === next) next = next.nextElementSibling;
      else inside.insertBefore(element, next);
      kept.set(row, element);
    });
    for (const [row, element] of drawn) if (!kept.has(row)) element.remove();
    drawn = kept;
    if (current >= from && current < from + count)
      list.setAttribute('aria-activedescendant', `event-${current}`);
    else list.removeAttribute('aria-activedescendant');
  }

  /** What may change about a row that stays. */
  function place(element: HTMLElement, row: EventRow, index: number): void {
    element.style.top = `${index * ROW}px`;
    element.id = `event-${index}`;
    element.ariaSelected = String(index === current);
    element.ariaPosInSet = String(index + 1);
    element.ariaSetSize = String(rows.length);
    const time = element.firstElementChild;
    if (time !== null) fill(time, sinceStart(row.at, rows[0]?.at ?? 0));
  }

  inside.addEventListener('click', ({ target }) => {
    const row = target instanceof Element ? target.closest('.event-row') : null;
    if (row !== null) chosen(Number(row.ariaPosInSet) - 1);
  });
  list.addEventListener('scroll', () => draw());
  new ResizeObserver(() => draw(true)).observe(list);

  return {
    element,
    show(shown) {
      rows = shown;
      draw(true);
    },
    choose(index) {
      current = index;
      const top = Math.max(0, index) * ROW;
      const isAbove = top < list.scrollTop;
      const isBelow = top + ROW > list.scrollTop + list.clientHeight;
      if (isAbove || isBelow) list.scrollTop = top - (isBelow ? list.clientHeight - 2 * ROW : ROW);
      draw(true);
    },
  };
}

function drawRow(row: EventRow): HTMLElement {
  const [from, to] = [lanes.indexOf(row.from), lanes.indexOf(row.to)];
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const arrow = el('span', {
    class: from === to ? 'dot' : from < to ? 'arrow right' : 'arrow left',
  });
  arrow.style.left = `${12.5 + left * 25}%`;
  arrow.style.width = `${(right - left) * 25}%`;
  const label = el('span', { class: 'label' }, eventWord(row.type));
  // Words begin at the arrow's left end, or end at its right one where there is more room.
  if (left + right <= 3) label.style.left = `${Math.max(0, 12.5 + left * 25 - 10)}%`;
  else label.style.right = `${Math.max(0, 87.5 - right * 25 - 10)}%`;
  const detail = el('span', { class: 'detail' }, telling(row));
  const way = row.from === row.to ? `within ${row.from}` : `${row.from} to ${row.to}`;
  return el(
    'div',
    {
      class: `event-row ${row.device}`,
      role: 'option',
      'data-type': row.type,
      'data-stream': row.stream,
    },
    el('span', { class: 'time' }),
    el('span', { class: 'unseen' }, way),
    el('div', { class: 'lanes' }, label, arrow, detail),
  );
}
