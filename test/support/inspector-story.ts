/** The inspector, as its person has it: the command in a terminal, the page in a browser. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Device, RunningProgram } from './program-driver.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface OpenInspector {
  readonly program: RunningProgram;
  /** `file://…`, which lets one browser in. */
  readonly address: string;
  /** What `signer inspect` prints for `vmux inspect --phone`. */
  readonly joinAddress: string | null;
}

/** `vmux inspect` or `signer inspect`, without opening a browser. */
export async function startInspect(device: Device, args: string[] = []): Promise<OpenInspector> {
  const program = device.start(['inspect', '--no-open', ...args]);
  const [, address = ''] = await program.expect(/the inspector is at (file:\S+)\n/);
  if (device.program === 'vmux') return { program, address, joinAddress: null };
  const [, joinAddress = ''] = await program.expect(/(http:\S+\/join#\S+)\n/);
  return { program, address, joinAddress };
}

export interface OpenPage {
  readonly page: Page;
  /** What the page complained about, in its console and by errors. */
  readonly complaints: string[];
  /** Every address that it asked for. */
  readonly asked: string[];
}

/** The page as the address in the terminal opens it, ready to be used. */
export async function openPage(
  browser: Browser,
  address: string,
  size: { width: number; height: number } = { width: 1280, height: 800 },
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: size });
  const page = await context.newPage();
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (answer) => {
    if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`);
  });
  page.on('request', (request) => asked.push(request.url()));
  await page.addInitScript({ path: resolve('test/support/in-page.js') });
  await page.goto(address);
  await page.waitForSelector('body[data-ready]');
  return { page, complaints, asked };
}

/** The states in words that a device's panel has shown since, in order, each once in a row. */
export async function watchStates(page: Page, device: 'headset' | 'phone') {
  await page.evaluate(`inPage.watchStates('${device}')`);
  return () => page.evaluate<string[]>(`inPage.seen['${device}']`);
}

/** Waits until the panel of the device says so. */
export const expectState = (page: Page, device: 'headset' | 'phone', words: string) =>
  expect
    .poll(() => page.locator(`.${device} .state-words`).textContent(), { timeout: 10_000 })
    .toBe(words);

/** Pairs of elements whose boxes cover each other, by their texts; empty when nothing overlaps. */
export const overlapping = (page: Page, selector: string) =>
  page.evaluate<string[]>(`inPage.overlapping('${selector}')`);

/** What axe-core finds wrong with the page as it is. */
export async function violations(page: Page): Promise<string[]> {
  // Through the debugger, where the page's own policy does not reach.
  await page.evaluate(axe);
  return page.evaluate<string[]>('inPage.violations()');
}
