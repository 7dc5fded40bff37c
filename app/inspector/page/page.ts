/** The inspector's page: one flow, at one of its events. */
import type { Driving, Flow, FlowSummary, LiveMessage } from '../protocol.ts';
import { firstOf, isStory, latestOf, placeOf } from './choices.ts';
import { createColumns } from './columns.ts';
import { el, fill } from './dom.ts';
import { createDevicePanel } from './device-panel.ts';
import { showFault } from './fault.ts';
import { createFlowList } from './flow-list.ts';
import { readLink, writeLink } from './link.ts';
import { createMoments, type Moments } from './moments.ts';
import { isCalm } from './motion.ts';
import { createNews } from './news.ts';
import { createSequence } from './sequence.ts';
import { saveFile } from './save-file.ts';
import { openSource, Said } from './source.ts';
import { createTopBar } from './top-bar.ts';
import { createTransport } from './transport.ts';
import { emptyWords, nothingOf, recordedWords } from './words.ts';
import { createWalk } from './walk.ts';

/** How often running clocks are drawn. Milliseconds. */
const TICK = 200;

async function start(): Promise<void> {
  const source = openSource();
  const opening = await source.opening();
  const flows = createFlowList(source, opening.flows);
  let flow: Flow | null = null;
  let moments: Moments | null = null;
  let index = -1;
  let isDriven: string | null = opening.driving?.connection?.stream ?? null;
  let { notices } = opening;
  let stopLive: (() => void) | null = null;
  let turn = 0;

  const bar = createTopBar(opening.version, source.isFile, {
    choose: (id) => attempt(() => open(id, null)),
    older: () => attempt(() => flows.listOlder().then(listFlows)),
    save: (id) => attempt(async () => saveFile('flow.html', await source.file(id), 'text/html')),
    drive: (command) => attempt(() => source.drive(command)),
  });
  const sequence = createSequence((chosen) => go(chosen));
  const transport = createTransport({
    index: () => index,
    count: () => flow?.rows.length ?? 0,
    go: (to) => go(to),
    pause: (at) => (flow?.rows[at + 1]?.at ?? 0) - (flow?.rows[at]?.at ?? 0),
  });
  const panels = (['headset', 'phone'] as const).map((device) => ({
    device,
    panel: createDevicePanel(device, opening.charts, source, nothingOf(device, opening.shows)),
  }));
  const news = createNews(() => go(Infinity));
  const middle = el('div', { class: 'middle' }, sequence.element, news.element, transport.element);
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
    const opened = await source.flow(id);
    if (mine !== turn) return;
    // Only now: the flow before this one may have gone on meanwhile.
    transport.stop();
    walk.stop();
    flow = opened;
    moments = createMoments(opened);
    sequence.show(opened.rows);
    bar.flows(flows.all, id, flows.hasOlder);
    stopLive?.();
    stopLive = source.live(id, take, ended);
    move(at ?? Infinity);
    await show();
  }

  function go(to: number): void {
    walk.stop();
    move(to);
    attempt(() => show(true));
  }

  function move(to: number): void {
    if (flow === null) return;
    index = Math.max(0, Math.min(to, flow.rows.length - 1));
    sequence.choose(index);
    transport.show(index, flow.rows.length);
    writeLink(flow.summary.id, index);
    news.show(0);
    tellLive();
  }

  /** `isChosen`: the person wants this event, be it of the link that only carries a login. */
  async function show(isChosen = false): Promise<void> {
    if (flow === null || moments === null) return;
    const [shownFlow, shownIndex] = [flow, index];
    const views = await source.views(moments.at(index)).catch((error: unknown) => {
      // A chart never stands beside an event that it is not of.
      for (const { panel } of panels) panel.show([], null, '', Date.now());
      throw error;
    });
    if (flow !== shownFlow || index !== shownIndex) return;
    const row = flow.rows[index];
    for (const { device, panel } of panels) {
      const own = views.filter((view) => view.device === device);
      const moved = isChosen && row?.device === device ? row.machine : null;
      panel.show(latestOf(own), moved, `at event ${index + 1}`, row?.at ?? Date.now());
    }
    document.body.dataset['event'] = String(index);
  }

  async function shown(to: number): Promise<void> {
    move(to);
    await say(() => show());
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
    if (flow?.summary.live !== true) return bar.live(recordedWords(source.exportedAt));
    bar.live(isAtEnd() ? '● live' : 'live, paused');
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
    if ((more[0]?.at ?? 0) < (flow.rows.at(-1)?.at ?? 0)) return void say(reorder);
    const follows = isAtEnd() || walk.isOn;
    flow.rows.push(...more);
    moments?.grow();
    sequence.show(flow.rows);
    if (follows) return catchUp();
    transport.show(index, flow.rows.length);
    news.show(flow.rows.length - 1 - index);
  }

  /** A joined phone's events may be older than the headset's last ones: the server knows the order. */
  async function reorder(): Promise<void> {
    if (flow === null) return;
    const [shownFlow, chosen, follows] = [flow, flow.rows[index], isAtEnd() || walk.isOn];
    const now = await source.flow(flow.summary.id);
    if (flow !== shownFlow) return;
    flow = now;
    moments = createMoments(now);
    sequence.show(now.rows);
    const same = now.rows.findIndex(
      (row) => chosen !== undefined && placeOf(row) === placeOf(chosen),
    );
    await shown(same < 0 ? index : same);
    if (follows) catchUp();
    else news.show(now.rows.length - 1 - index);
  }

  function takeFlows(changed: FlowSummary[]): void {
    const fresh = flows.take(changed);
    listFlows();
    const newest = flow?.summary.startedAt ?? 0;
    const begun = fresh.find((one) => isStory(one) && one.startedAt > newest);
    if (flow === null && flows.all.length > 0) void say(() => open(firstOf(flows.all), null));
    else if (begun !== undefined && isIdle()) void say(() => open(begun.id, 0).then(catchUp));
    tellLive();
  }

  function listFlows(): void {
    empty.hidden = flows.all.length > 0;
    main.hidden = flows.all.length === 0;
    bar.flows(flows.all, flow?.summary.id ?? null, flows.hasOlder);
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
  if (flow === null && flows.all.length > 0) await say(() => open(firstOf(flows.all), null));
  if (flow === null) stopLive = source.live(null, take, ended);
  listFlows();
  document.body.dataset['ready'] = 'true';
}

start().catch(showFault);
