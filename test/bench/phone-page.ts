/** The phone's page in Chromium: how soon a request that reaches `signer` is a sheet to be seen. */
import type { Page } from 'playwright-core';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { logPath } from '../../app/running.ts';
import { chromiumMissing } from '../support/browser.ts';
import {
  addAuthenticator,
  createInPage,
  deny,
  newPhoneContext,
  pairPage,
  sheetOf,
  webRig,
  type WebRig,
} from '../support/phone-page-story.ts';
import { goal, heading, line, median, ms } from './measure.ts';

/** All since `signer` recorded that the request had come. Milliseconds. */
interface SheetTimes {
  /** The frame that first showed the sheet is over. */
  painted: number;
  /** `signer` recorded that the page has shown it. */
  shown: number;
  /** It has risen to its place. */
  still: number;
}

const SHEET_GOAL = 200;
const OPENINGS = 5;
/** Requests while the page stays open. */
const REQUESTS = 3;
/** What a page is given to settle once it is up. Milliseconds. */
const SETTLE = 400;

/** In the page from its start, by the clock that both programs record with. */
const watchSheets = `
  globalThis.sheetsSeen = [];
  const known = new WeakSet();
  const frame = () => new Promise(requestAnimationFrame);
  new MutationObserver(async () => {
    const dialog = document.querySelector('dialog.sheet[open]');
    if (dialog === null || known.has(dialog)) return;
    known.add(dialog);
    await frame();
    await frame();
    const painted = Date.now();
    const rising = dialog.getAnimations().map((animation) => animation.finished);
    await Promise.all(rising);
    sheetsSeen.push({ painted, still: Date.now() });
  }).observe(document, { childList: true, subtree: true, attributeFilter: ['open'] });`;

/** Two processes, a real server and a browser; its person denies each request. */
export async function reportPhonePage(): Promise<void> {
  heading("the phone's page in Chromium: a sheet, since its request reached signer");
  if (chromiumMissing !== null) return console.log(`  left out: ${chromiumMissing}`);
  const { first, later } = await measureSheets();
  for (const [what, all] of [
    ['the first sheet after the page was opened', first],
    ['a later sheet', later],
  ] as const) {
    report(`${what}: painted`, all, 'painted', SHEET_GOAL);
    report('  signer knows that it is shown', all, 'shown');
    report('  it has risen to its place', all, 'still');
  }
}

function report(what: string, all: SheetTimes[], part: keyof SheetTimes, atMost?: number): void {
  const taken = all.map((times) => times[part]);
  const worst = Math.max(...taken);
  const most = `most ${ms(worst)} of ${taken.length}`;
  line(
    what,
    ms(median(taken)),
    atMost === undefined ? most : `${most}, ${goal(worst, atMost, ms)}`,
  );
}

async function measureSheets(): Promise<{ first: SheetTimes[]; later: SheetTimes[] }> {
  const rig = await webRig();
  try {
    const context = await newPhoneContext(rig.browser);
    const page = await context.newPage();
    await addAuthenticator(page);
    await page.goto(rig.running.origin);
    await pairPage(rig.phone, page);
    await rig.sshd.setAuthorizedKeys([await createInPage(page, 'Passkey', 'bench')]);
    await page.addInitScript(watchSheets);
    const first: SheetTimes[] = [];
    const later: SheetTimes[] = [];
    for (let opening = 0; opening < OPENINGS; opening += 1) {
      await open(page, rig.running.origin);
      for (let request = 0; request < REQUESTS; request += 1)
        (request === 0 ? first : later).push(await measureSheet(rig, page));
    }
    return { first, later };
  } finally {
    await rig.end();
  }
}

/** Anew, until it is linked and says so. */
async function open(page: Page, origin: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(origin);
  await page
    .getByRole('main')
    .getByRole('link', { name: /^Headsets/ })
    .waitFor();
  await page.waitForTimeout(SETTLE);
}

async function measureSheet(rig: WebRig, page: Page): Promise<SheetTimes> {
  const log = openEventLog(logPath(rig.phone.home), { readOnly: true });
  try {
    const before = log.head();
    const login = rig.login();
    await deny(page);
    const { stderr } = await login.ended;
    await sheetOf(page).waitFor({ state: 'detached' });
    const seen = await page.evaluate<{ painted: number; still: number }[]>('sheetsSeen.splice(0)');
    const events = [...log.readAll(before)];
    const atOf = (wanted: string) => {
      const [event, ...more] = events.filter(({ type }) => type === wanted);
      if (event === undefined || more.length > 0) throw new Error(`not one ${wanted}: ${stderr}`);
      return event.at;
    };
    const [sheet, ...more] = seen;
    if (sheet === undefined || more.length > 0) throw new Error(`not one sheet: ${stderr}`);
    const received = atOf('request.received');
    return {
      painted: sheet.painted - received,
      shown: atOf('sheet.shown') - received,
      still: sheet.still - received,
    };
  } finally {
    log.close();
  }
}

if (import.meta.main) await reportPhonePage();
