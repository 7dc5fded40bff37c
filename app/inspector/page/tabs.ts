/** Tabs by the pattern that keyboards and screen readers know: arrows move, one is in the tab order. */
import { el, fill } from './dom.ts';

export interface Tabs {
  readonly element: HTMLElement;
  show(names: string[], chosen: string): void;
}

/** `panel`: the id of what they change. */
export function createTabs(label: string, panel: string, choose: (name: string) => void): Tabs {
  let known = '';
  let all: string[] = [];
  const element = el('div', { class: 'tabs', role: 'tablist', 'aria-label': label });
  element.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = all.findIndex((_, i) => element.children[i] === document.activeElement);
    if (by === undefined || at < 0) return;
    event.preventDefault();
    const next = (at + by + all.length) % all.length;
    choose(all[next] ?? '');
    (element.children[next] as HTMLElement | undefined)?.focus();
  });
  return {
    element,
    show(names, chosen) {
      all = names;
      if (known !== names.join()) {
        known = names.join();
        fill(
          element,
          ...names.map((name) =>
            el('button', { type: 'button', role: 'tab', press: () => choose(name) }, name),
          ),
        );
      }
      element.hidden = names.length === 0;
      names.forEach((name, i) => {
        const tab = element.children[i];
        tab?.setAttribute('aria-selected', String(name === chosen));
        tab?.setAttribute('aria-controls', panel);
        tab?.setAttribute('tabindex', name === chosen ? '0' : '-1');
      });
    },
  };
}
