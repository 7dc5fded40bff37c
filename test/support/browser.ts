/** Debian's Chromium, driven as a person would use it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Why there is no browser to drive here, or `null`. */
export const chromiumMissing: string | null = existsSync(CHROMIUM)
  ? null
  : 'no Chromium on this machine';

/**
 * `prefix`: what runs a command where the page is; `directory`: where it may leave files. Headless,
 * and without its sandbox for root, who cannot have one.
 */
export async function openBrowser(directory: string, prefix: string[] = []): Promise<Browser> {
  const wrapper = join(directory, 'chromium');
  const words = [...prefix, CHROMIUM].map((word) => `'${word}'`).join(' ');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return chromium.launch({
    executablePath: wrapper,
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--disable-dev-shm-usage'],
  });
}
