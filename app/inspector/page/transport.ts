/** Back, forward, play, and the slider over the events. */
import { button, el, fill } from './dom.ts';

export interface Transport {
  readonly element: HTMLElement;
  show(index: number, count: number): void;
  /** The keys that step; `true` when it took the key. */
  takeKey(event: KeyboardEvent): boolean;
  stop(): void;
}

export interface Player {
  index(): number;
  count(): number;
  go(index: number): void;
  /** Milliseconds between the event at the index and the next one. */
  pause(index: number): number;
}

/** However long nothing happened, nobody wants to wait longer. Milliseconds. */
const LONGEST = 1_000;
const SHORTEST = 120;

export function createTransport(player: Player): Transport {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const step = (by: number) => {
    stop();
    player.go(player.index() + by);
  };
  const play = button('▶ Play', () => (timer === null ? start() : stop()), { class: 'play' });
  const slider = el('input', { type: 'range', min: 0, step: 1, 'aria-label': 'event' });
  const position = el('output', { class: 'position' });
  const element = el(
    'div',
    { class: 'transport', role: 'group', 'aria-label': 'steps' },
    button('|◀', () => step(-Infinity), {
      'aria-label': 'first event',
      title: 'first event (Home)',
    }),
    button('◀', () => step(-1), { 'aria-label': 'one event back', title: 'one event back (←)' }),
    play,
    button('▶', () => step(1), { 'aria-label': 'one event on', title: 'one event on (→)' }),
    button('▶|', () => step(Infinity), { 'aria-label': 'last event', title: 'last event (End)' }),
    slider,
    position,
  );
  slider.addEventListener('input', () => {
    stop();
    player.go(Number(slider.value));
  });

  function start(): void {
    if (player.index() >= player.count() - 1) player.go(0);
    fill(play, '❚❚ Pause');
    tick();
  }
  function tick(): void {
    if (player.index() >= player.count() - 1) return stop();
    const wait = Math.min(LONGEST, Math.max(SHORTEST, player.pause(player.index())));
    timer = setTimeout(() => {
      player.go(player.index() + 1);
      tick();
    }, wait);
  }
  function stop(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    fill(play, '▶ Play');
  }

  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    ' ': () => (timer === null ? start() : stop()),
  };
  const inList: Record<string, () => void> = {
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    PageUp: () => step(-10),
    PageDown: () => step(10),
  };

  return {
    element,
    show(index, count) {
      slider.max = String(Math.max(0, count - 1));
      slider.value = String(Math.max(0, index));
      slider.disabled = count === 0;
      slider.setAttribute('aria-valuetext', `event ${index + 1} of ${count}`);
      position.value = count === 0 ? 'no events' : `event ${index + 1} of ${count}`;
    },
    takeKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return false;
      const { target, key } = event;
      const isControl =
        target instanceof Element && target.closest('button, input, select, a, summary') !== null;
      const isTab = target instanceof Element && target.closest('[role=tab]') !== null;
      if (isTab || (isControl && !(target instanceof HTMLButtonElement && key !== ' ')))
        return false;
      if (target instanceof HTMLElement && target.scrollWidth > target.clientWidth) {
        // What is wider than its place is moved by these keys.
        if (/^(Arrow(Left|Right)|Home|End)$/.test(key) && !isControl) return false;
      }
      const isList = target instanceof Element && target.closest('.sequence') !== null;
      const act = keys[key] ?? (isList ? inList[key] : undefined);
      act?.();
      return act !== undefined;
    },
    stop,
  };
}
