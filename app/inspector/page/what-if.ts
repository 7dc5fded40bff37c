/** What else could have happened: events fired at a copy of the machine. */
import type { MachineView, Place, WhatIf } from '../protocol.ts';
import { button, el, fill } from './dom.ts';
import { Said, type Source } from './source.ts';
import { eventWord } from './words.ts';

export interface WhatIfPanel {
  readonly element: HTMLElement;
  /** The machine whose panel it is has moved, or another one is looked at. */
  at(place: Place | null, moment: string): void;
}

type Fired = Record<string, unknown>;

/** `shows`: the copy after what was fired; null: back to what really was. */
export function createWhatIfPanel(
  source: Source,
  shows: (copy: MachineView | null, banner: string) => void,
): WhatIfPanel {
  let place: Place | null = null;
  let moment = '';
  let fired: Fired[] = [];
  let asked = 0;
  const body = el('div', { class: 'choices' });
  const element = el('details', { class: 'what-if' }, el('summary', {}, 'What if…'), body);
  element.addEventListener('toggle', () => void refresh());

  async function refresh(): Promise<void> {
    const turn = (asked += 1);
    const at = place;
    if (at === null || !element.open) return;
    try {
      const { view, next } =
        fired.length === 0
          ? { view: null, next: await source.whatIf(at) }
          : await source.tryEvents(at, fired);
      // What was asked before may be answered later.
      if (turn !== asked) return;
      draw(next);
      shows(view, view === null ? '' : banner());
    } catch (error) {
      if (!(error instanceof Said)) throw error;
      if (turn === asked) fill(body, el('p', { class: 'quiet' }, error.message));
    }
  }

  const banner = () =>
    `What if: ${fired.map(({ type }) => eventWord(String(type))).join(', then ')}, ${moment}. Nothing real has happened.`;

  function fire(event: Fired): void {
    fired = [...fired, event];
    void refresh();
  }

  function draw({ accepts, ignores }: WhatIf): void {
    const back = [
      button('Back', () => {
        fired = fired.slice(0, -1);
        if (fired.length === 0) shows(null, '');
        void refresh();
      }),
      button('Leave', leave),
    ];
    fill(
      body,
      fired.length === 0 ? null : el('div', { class: 'row-of-buttons' }, ...back),
      accepts.length === 0
        ? el('p', { class: 'quiet' }, 'It reacts to nothing here.')
        : el(
            'ul',
            { class: 'accepted' },
            ...accepts.map(({ type, event, leadsTo }) =>
              el('li', {}, choice(type, event, leadsTo)),
            ),
          ),
      ignores.length === 0
        ? null
        : el('p', { class: 'quiet' }, `Ignored here: ${ignores.map(eventWord).join(', ')}`),
    );
  }

  /** A file knows where an event leads, and no further. */
  function choice(type: string, event: Fired, leadsTo: string): HTMLElement {
    const words = [eventWord(type), el('span', { class: 'leads' }, `→ ${leadsTo}`)];
    if (source.isFile) return el('span', { class: 'choice' }, ...words);
    const press = el('button', { type: 'button', class: 'choice', press: () => fire(event) });
    fill(press, ...words);
    return press;
  }

  function leave(): void {
    fired = [];
    shows(null, '');
    void refresh();
  }

  return {
    element,
    at(here, when) {
      const isSame =
        place?.stream === here?.stream && place?.version === here?.version && moment === when;
      if (isSame) return;
      place = here === null ? null : placeIn(here);
      moment = when;
      if (fired.length > 0) {
        fired = [];
        shows(null, '');
      }
      void refresh();
    },
  };
}

const placeIn = ({ device, stream, version }: Place): Place => ({ device, stream, version });
