/** Three columns side by side, or one of them at a time where there is no room. */
import { el } from './dom.ts';
import { createTabs } from './tabs.ts';

export type Columns = Record<'headset' | 'events' | 'phone', HTMLElement | undefined>;

/** `tabs` choose the column; the style sheet hides them where all three are to be seen. */
export function createColumns(columns: Columns): { main: HTMLElement; tabs: HTMLElement } {
  const names = Object.keys(columns);
  const all = Object.values(columns).filter((one) => one !== undefined);
  const main = el('main', { class: 'columns', id: 'columns' }, ...all);
  const tabs = createTabs('columns', 'columns', show);
  tabs.element.classList.add('column-tabs');

  function show(name: string): void {
    main.dataset['column'] = name;
    tabs.show(names, name);
  }
  show('events');
  return { main, tabs: tabs.element };
}
