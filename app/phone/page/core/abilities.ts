/** What this browser can do, and keeps doing: storage that stays, a screen that stays on. */
import type { Abilities } from '../port.ts';
import { canPrf } from './ceremony.ts';

export const firstAbilities = (): Abilities => ({
  webAuthn: 'PublicKeyCredential' in globalThis && isSecureContext,
  prf: null,
  push: 'PushManager' in globalThis && 'serviceWorker' in navigator,
  isStandalone:
    matchMedia('(display-mode: standalone)').matches ||
    (navigator as { standalone?: boolean }).standalone === true,
  // An iPad says that it is a Mac.
  isAppleTouch:
    /iPhone|iPad|iPod/.test(navigator.userAgent) ||
    (navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1),
  isPersistent: null,
});

/** What takes a question to find out. */
export async function askedAbilities(): Promise<Pick<Abilities, 'prf' | 'isPersistent'>> {
  const prf = 'PublicKeyCredential' in globalThis ? await canPrf() : false;
  const isPersistent = (await navigator.storage?.persisted?.().catch(() => null)) ?? null;
  return { prf, isPersistent };
}

/** Asks the browser to keep what the page stores. */
export const persistStorage = async (): Promise<boolean | null> =>
  (await navigator.storage?.persist?.().catch(() => null)) ?? null;

/** Keeps the screen on while the page can be seen, where the browser lets it. */
export function keepAwake(): void {
  document.addEventListener('visibilitychange', lockScreen);
  lockScreen();
}

/** It ends by itself when the page is hidden. */
function lockScreen(): void {
  if (document.visibilityState !== 'visible') return;
  navigator.wakeLock?.request('screen').catch(() => {});
}
