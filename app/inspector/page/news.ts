/** A button that leads to what came while an earlier event was looked at. */
import { button, el, fill } from './dom.ts';

export interface News {
  readonly element: HTMLElement;
  /** How many events are newer; none hides it. */
  show(count: number): void;
}

export function createNews(press: () => void): News {
  const news = button('', press, { class: 'news', hidden: true });
  return {
    element: el('div', { class: 'news-place' }, news),
    show(count) {
      news.hidden = count <= 0;
      fill(news, count === 1 ? '1 newer event' : `${count} newer events`);
    },
  };
}
