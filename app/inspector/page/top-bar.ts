/** Which flow is looked at, whether it is live, and the buttons that drive connections. */
import type { DriveCommand, Driving, FlowSummary } from '../protocol.ts';
import { button, el, fill } from './dom.ts';
import { flowWords } from './words.ts';

export interface TopBar {
  readonly element: HTMLElement;
  /** `hasOlder`: there may be more than these. */
  flows(all: FlowSummary[], chosen: string | null, hasOlder: boolean): void;
  driving(driving: Driving | null): void;
  live(words: string): void;
  /** Sentences that the person should see; none hides them. */
  notices(sentences: string[]): void;
}

export interface TopBarActs {
  choose(id: string): void;
  /** Lists older flows, too. */
  older(): void;
  save(id: string): void;
  drive(command: DriveCommand): void;
}

/** No flow's id. */
const OLDER = 'older';

export function createTopBar(version: string, isFile: boolean, acts: TopBarActs): TopBar {
  const chooser = el('select', { 'aria-label': 'flow', class: 'flows' });
  chooser.addEventListener('change', () => {
    if (chooser.value === OLDER) acts.older();
    else acts.choose(chooser.value);
  });
  const live = el('span', { class: 'live', role: 'status' });
  const save = button('Export', () => acts.save(chooser.value), { hidden: isFile });
  const host = el('select', { 'aria-label': 'saved host' });
  const connect = button('Connect', () => acts.drive({ do: 'connect', host: host.value }));
  const reconnect = button('Reconnect', () => acts.drive({ do: 'reconnect' }));
  const cancel = button('Cancel', () => acts.drive({ do: 'cancel' }));
  const where = el('span', { class: 'quiet' }, 'its shell opens in the terminal');
  const drive = el(
    'div',
    { class: 'driving', role: 'group', 'aria-label': 'connections', hidden: true },
    host,
    connect,
    reconnect,
    cancel,
    where,
  );
  const notices = el('div', { class: 'notices', role: 'alert' });
  const element = el(
    'header',
    {},
    el('h1', {}, 'vmux ', el('span', { class: 'quiet' }, `inspector ${version}`)),
    el('div', { class: 'choose' }, chooser, live, save),
    drive,
    notices,
  );

  let listed = '';
  return {
    element,
    flows(all, chosen, hasOlder) {
      const now = JSON.stringify([all.map(flowWords), hasOlder]);
      if (now !== listed) {
        listed = now;
        const older = hasOlder ? el('option', { value: OLDER }, 'older…') : null;
        const options = all.map((flow) => el('option', { value: flow.id }, flowWords(flow)));
        fill(chooser, ...options, older);
      }
      if (chosen !== null) chooser.value = chosen;
      chooser.disabled = all.length === 0;
      save.disabled = chosen === null;
    },
    driving(driving) {
      drive.hidden = driving === null;
      if (driving === null) return;
      const { hosts, connection } = driving;
      const chosen = host.value;
      fill(host, ...hosts.map((name) => el('option', { value: name }, name)));
      if (hosts.includes(chosen)) host.value = chosen;
      const can = connection?.can ?? [];
      const isOpen = connection !== null && !can.includes('reconnect');
      host.hidden = hosts.length === 0;
      connect.disabled = hosts.length === 0 || isOpen;
      reconnect.disabled = !can.includes('reconnect');
      cancel.disabled = !can.includes('cancel');
      fill(
        where,
        hosts.length === 0
          ? 'save a host first: vmux hosts add NAME user@host'
          : 'its shell opens in the terminal',
      );
    },
    live: (words) => fill(live, words),
    notices(sentences) {
      fill(notices, ...sentences.map((one) => el('p', {}, one)));
      notices.hidden = sentences.length === 0;
    },
  };
}
