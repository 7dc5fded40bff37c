/** The inspector's page: one flow, at one of its events. */
import type { Driving, Flow, FlowSummary, LiveMessage } from '../protocol.ts';
import { firstOf, isStory, latestOf, placeOf } from './choices.ts';
import { createColumns } from './columns.ts';
import { button, el, fill } from './dom.ts';
import { createDevicePanel } from './device-panel.ts';
import { readLink, writeLink } from './link.ts';
import { createMoments, type Moments } from './moments.ts';
import { isCalm } from './motion.ts';
import { createSequence } from './sequence.ts';
import { openSource, Said } from './source.ts';
import { createTopBar } from './top-bar.ts';
import { createTransport } from './transport.ts';
import { emptyWords, nothingOf } from './words.ts';
import { createWalk } from './walk.ts';

/** How often running clocks are drawn. Milliseconds. */
const TICK = 200;

async function start(): Promise<void> {
  const source = openSource();
  const opening = await source.opening();
  let flows = opening.flows;
  let flow: Flow | null = null;
  let moments: Moments | null = null;
  let index = -1;
  let isDriven: string | null = opening.driving?.connection?.stream ?? null;
  let { notices } = opening;
  let stopLive: (() => void) | null = null;
  let turn = 0;

  const bar = createTopBar(opening.version, source.isFile, {
    choose: (id) => attempt(() => open(id, null)),
    drive: (command) => attempt(() => source.drive(command)),
  });
  const sequence = createSequence((chosen) => go(chosen));
  const transport = createTransport({
    get index() {
      return index;
    },
    get count() {
      return flow?.rows.length ?? 0;
    },
    go: (to) => go(to),
    pause: (at) => (flow?.rows[at + 1]?.at ?? 0) - (flow?.rows[at]?.at ?? 0),
  });
  const panels = (['headset', 'phone'] as const).map((device) => ({
    device,
    panel: createDevicePanel(device, opening.charts, source, nothingOf(device, opening.shows)),
  }));
  const news = button('', () => go(Infinity), { class: 'news', hidden: true });
  const middle = el(
    'div',
    { class: 'middle' },
    sequence.element,
    el('div', { class: 'news-place' }, news),
    transport.element,
  );
  const walk = createWalk(
    () => (flow === null ? 0 : flow.rows.length - 1 - index),
    () => shown(index + 1),
  );
  const [headset, phone] = panels.map(({ panel }) => panel.element);
  const { main, tabs } = createColumns({ headset, events: middle, phone });
  main.dataset['shows'] = opening.shows;
  const empty = el('main', { class: 'quiet nothing' }, emptyWords(opening.shows));
  bar.element.append(tabs);
  fill(document.body, bar.element, main, empty);
  bar.driving(opening.driving);
  bar.notices(notices);

  /** What the person does may fail in words, which stay until they do the next thing. */
  function attempt(act: () => Promise<unknown>): void {
    bar.notices(notices);
    void say(act);
  }

  async function say(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Said)) throw error;
      bar.notices([error.message, ...notices]);
    }
  }

  /** `at`: an index; null: the last event. */
  async function open(id: string, at: number | null): Promise<void> {
    const mine = (turn += 1);
    transport.stop();
    walk.stop();
    const opened = await source.flow(id);
    if (mine !== turn) return;
    flow = opened;
    moments = createMoments(opened);
    sequence.show(opened.rows);
    bar.flows(flows, id);
    stopLive?.();
    stopLive = source.live(id, take, ended);
    move(at ?? Infinity);
    await show();
  }

  function go(to: number): void {
    walk.stop();
    move(to);
    attempt(show);
  }

  function move(to: number): void {
    if (flow === null) return;
    index = Math.max(0, Math.min(to, flow.rows.length - 1));
    sequence.choose(index);
    transport.show(index, flow.rows.length);
    writeLink(flow.summary.id, index);
    news.hidden = true;
    tellLive();
  }

  async function show(): Promise<void> {
    if (flow === null || moments === null) return;
    const [shownFlow, shownIndex] = [flow, index];
    const views = await source.views(moments.at(index));
    if (flow !== shownFlow || index !== shownIndex) return;
    const row = flow.rows[index];
    for (const { device, panel } of panels) {
      const own = views.filter((view) => view.device === device);
      const moved = row?.device === device ? row.machine : null;
      panel.show(latestOf(own), moved, `at event ${index + 1}`, row?.at ?? Date.now());
    }
    document.body.dataset['event'] = String(index);
  }

  async function shown(to: number): Promise<void> {
    move(to);
    await say(show);
  }

  function catchUp(): void {
    if (isCalm()) void shown(Infinity);
    else walk.start();
  }

  /** The person looks at the end of something that is over: what begins now is of more interest. */
  const isIdle = () =>
    isAtEnd() && !walk.isOn && !(flow?.summary.live === true && isStory(flow.summary));

  const isAtEnd = () => flow !== null && index === flow.rows.length - 1;

  function tellLive(): void {
    const isLive = flow?.summary.live === true;
    bar.live(
      source.isFile ? 'a file' : !isLive ? 'recorded' : isAtEnd() ? '● live' : 'live, paused',
    );
  }

  function ended(): void {
    bar.live('the inspector has ended');
  }

  function take(message: LiveMessage): void {
    if (message.type === 'driving') return takeDriving(message.driving);
    if (message.type === 'notices') {
      notices = message.notices;
      return bar.notices(notices);
    }
    if (message.type === 'flows') return takeFlows(message.flows);
    if (flow === null || message.flow !== flow.summary.id) return;
    const known = new Set(flow.rows.map(placeOf));
    const more = message.rows.filter((row) => !known.has(placeOf(row)));
    flow.summary = message.summary;
    takeFlows([message.summary]);
    if (more.length === 0) return;
    // A joined phone's events may be older than the headset's last ones.
    const follows = isAtEnd() || walk.isOn;
    const chosen = flow.rows[index];
    const isOrdered = (more[0]?.at ?? 0) >= (flow.rows.at(-1)?.at ?? 0);
    flow.rows.push(...more);
    if (isOrdered) moments?.grow();
    else {
      flow.rows.sort((one, other) => one.at - other.at);
      moments = createMoments(flow);
      index = chosen === undefined ? index : flow.rows.indexOf(chosen);
    }
    sequence.show(flow.rows);
    if (follows) return catchUp();
    transport.show(index, flow.rows.length);
    const left = flow.rows.length - 1 - index;
    news.hidden = false;
    fill(news, left === 1 ? '1 newer event' : `${left} newer events`);
  }

  function takeFlows(changed: FlowSummary[]): void {
    const fresh = changed.filter((one) => !flows.some(({ id }) => id === one.id));
    const now = new Map(changed.map((one) => [one.id, one]));
    flows = [...fresh, ...flows.map((one) => now.get(one.id) ?? one)];
    flows.sort((one, other) => other.startedAt - one.startedAt);
    empty.hidden = flows.length > 0;
    main.hidden = flows.length === 0;
    bar.flows(flows, flow?.summary.id ?? null);
    const begun = fresh.find(isStory);
    if (flow === null && flows.length > 0) void say(() => open(firstOf(flows), null));
    else if (begun !== undefined && isIdle()) void say(() => open(begun.id, 0).then(catchUp));
    tellLive();
  }

  function takeDriving(driving: Driving): void {
    bar.driving(driving);
    const stream = driving.connection?.stream ?? null;
    if (stream === null || stream === isDriven) return;
    isDriven = stream;
    void say(() => open(stream, null));
  }

  document.addEventListener('keydown', (event) => {
    if (transport.takeKey(event)) event.preventDefault();
  });
  addEventListener('hashchange', () => {
    const link = readLink();
    const isHere = link !== null && link.flow === flow?.summary.id && link.event === index;
    if (link !== null && !isHere) attempt(() => open(link.flow, link.event));
  });
  setInterval(() => {
    if (flow?.summary.live !== true || !isAtEnd()) return;
    for (const { panel } of panels) panel.tick(Date.now());
  }, TICK);

  const link = readLink();
  if (link !== null) await say(() => open(link.flow, link.event));
  // A link may name a flow of another log, or one that is gone.
  if (flow === null && flows.length > 0) await say(() => open(firstOf(flows), null));
  if (flow === null) stopLive = source.live(null, take, ended);
  empty.hidden = flows.length > 0;
  main.hidden = flows.length === 0;
  document.body.dataset['ready'] = 'true';
}

start().catch((error: unknown) => {
  const words =
    error instanceof Said ? error.message : 'This page met a fault of its own. Reload it.';
  fill(document.body, el('main', {}, el('p', { class: 'notices', role: 'alert' }, words)));
  if (!(error instanceof Said)) throw error;
});
