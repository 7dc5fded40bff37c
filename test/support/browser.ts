/** Debian's Chromium, driven as a person would use it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser to drive here, or `null`. */
export const chromiumMissing: string | null = existsSync(CHROMIUM)
  ? null
  : 'no Chromium on this machine';

/**
 * `prefix`: what runs a command where the page is; `directory`: where it may leave files. Headless,
 * and without its sandbox for root, who cannot have one.
 */
export async function openBrowser(
  directory: string,
  prefix: string[] = [],
  { args = [] as string[] } = {},
): Promise<Browser> {
  return chromium.launch({
    executablePath: wrapperIn(directory, prefix),
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage', ...args],
  });
}

/** A program that runs the browser behind `prefix`. */
function wrapperIn(directory: string, prefix: string[]): string {
  const wrapper = join(directory, 'chromium');
  const words = [...prefix, CHROMIUM].map((word) => `'${word}'`).join(' ');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return wrapper;
}

/** The same with what it stores in `profile`, where it is found the next time. */
export function openProfile(
  directory: string,
  profile: string,
  prefix: string[],
  viewport: { width: number; height: number },
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: wrapperIn(directory, prefix),
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
    viewport,
    hasTouch: true,
  });
}
