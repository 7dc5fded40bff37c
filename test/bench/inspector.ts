/** The inspector's page: how soon a long log is there, how soon a step, and what watching costs. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import { openEventLog } from '../../adapters/event-log/store.ts';
import { logPath } from '../../app/running.ts';
import { median } from './measure.ts';
import { program } from './programs.ts';

export interface PageTimes {
  /** From the address of the redirect file until the page can be used. Milliseconds. */
  open: number;
  /** From a key until the charts show the event. Milliseconds, median of many. */
  step: number;
}

const STEPS = 30;
/** What the page is given to settle before a login is measured. Milliseconds. */
const SETTLE = 400;

/**
 * A state directory whose log has at least `events` events: the runs with that prefix in `home`,
 * and the links beside them, again and again under new names.
 */
export function repeatedLog(home: string, prefix: string, events: number): string {
  const copy = mkdtempSync(`${home}-repeated-`);
  const source = openEventLog(logPath(home), { readOnly: true });
  const target = openEventLog(logPath(copy));
  try {
    const runs = source.streams(prefix).map((stream) => [...source.read(stream)]);
    for (let written = 0, next = 0; written < events; next += 1) {
      const run = runs[next % runs.length] ?? [];
      target.append(`${prefix}${randomUUID()}`, 0, run.map(asNew));
      written += run.length;
    }
  } finally {
    source.close();
    target.close();
  }
  return copy;
}

/** The same with one run: its events after the first, again and again in one stream. */
export function lengthenedLog(home: string, prefix: string, events: number): string {
  const copy = mkdtempSync(`${home}-lengthened-`);
  const source = openEventLog(logPath(home), { readOnly: true });
  const target = openEventLog(logPath(copy));
  try {
    const runs = source.streams(prefix).map((stream) => [...source.read(stream)]);
    const [first, ...rest] = runs.toSorted((one, other) => other.length - one.length)[0] ?? [];
    const body = rest.filter(({ type }) => !type.startsWith('app.'));
    const stream = `${prefix}${randomUUID()}`;
    if (first === undefined || body.length === 0) throw new Error(`no run of ${prefix}`);
    for (let written = target.append(stream, 0, [asNew(first)]); written < events;)
      written = target.append(stream, written, body.map(asNew));
  } finally {
    source.close();
    target.close();
  }
  return copy;
}

const asNew = ({ type, v, data }: Envelope) => ({ type, v, data });

/** A new inspector, and a browser that has never seen it. */
export async function measurePage(
  browser: Browser,
  name: 'vmux' | 'signer',
  home: string,
): Promise<PageTimes> {
  const inspector = await startInspect(name, home);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(inspector.address);
    await page.waitForSelector('body[data-ready]');
    const open = performance.now() - began;
    const steps: number[] = [];
    for (let step = 0; step < STEPS; step += 1) steps.push(await stepBack(page));
    return { open, step: median(steps) };
  } finally {
    await context.close();
    await inspector.stop();
  }
}

/** Measured in the page, to the frame after the one in which it was drawn. */
const stepBack = (page: Page) =>
  page.evaluate<number>(`new Promise((resolve) => {
    const began = performance.now();
    const seen = new MutationObserver(() => {
      seen.disconnect();
      resolve(performance.now() - began);
    });
    seen.observe(document.body, { attributes: true, attributeFilter: ['data-event'] });
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
  })`);

export interface Watching {
  /** Opens or closes the page, and waits until that is done. */
  show: (open: boolean) => Promise<void>;
  stop: () => Promise<void>;
}

/** An inspector of a log that is in use, with a page that can be opened again and again. */
export async function watchFrom(browser: Browser, home: string): Promise<Watching> {
  const inspector = await startInspect('vmux', home);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(inspector.address);
  await page.waitForSelector('body[data-ready]');
  const [address = ''] = page.url().split('#');
  return {
    async show(open) {
      await page.goto(open ? address : 'about:blank');
      if (open) await page.waitForSelector('body[data-ready]');
      await sleep(SETTLE);
    },
    async stop() {
      await context.close();
      await inspector.stop();
    },
  };
}

async function startInspect(name: 'vmux' | 'signer', home: string) {
  const child = spawn(process.execPath, [program(name), 'inspect', '--no-open'], {
    env: { ...process.env, [name === 'vmux' ? 'VMUX_HOME' : 'SIGNER_HOME']: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!/(file:\S+)\n/.test(said)) await Promise.race([once(child.stdout, 'data'), exited]);
  const [, address = ''] = /(file:\S+)/.exec(said) ?? [];
  return {
    address,
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
  };
}
