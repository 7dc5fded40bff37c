/** What this browser can do, as far as it says. */
import type { Abilities } from '../port.ts';

/** What it says at once. The rest comes from `furtherAbilities`. */
export function firstAbilities(): Abilities {
  return {
    webAuthn: isSecureContext && 'PublicKeyCredential' in globalThis,
    prf: null,
    push:
      'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis,
    isStandalone: isStandalone(),
    isAppleTouch: isAppleTouch(),
    isPersistent: null,
  };
}

export async function furtherAbilities(): Promise<Pick<Abilities, 'prf' | 'isPersistent'>> {
  return { prf: await hasPrf(), isPersistent: await isPersistent() };
}

/** Asks the browser to keep what the page stores; `null`: it does not say whether it will. */
export async function persist(): Promise<boolean | null> {
  try {
    return await navigator.storage.persist();
  } catch {
    return null;
  }
}

async function isPersistent(): Promise<boolean | null> {
  try {
    return await navigator.storage.persisted();
  } catch {
    return null;
  }
}

async function hasPrf(): Promise<boolean | null> {
  try {
    const capabilities = await PublicKeyCredential.getClientCapabilities();
    return capabilities['extension:prf'] ?? null;
  } catch {
    return null;
  }
}

/** From the Home Screen. Safari has a word of its own for it. */
function isStandalone(): boolean {
  const { standalone } = navigator as { standalone?: boolean };
  return standalone === true || matchMedia('(display-mode: standalone)').matches;
}

/** An iPad calls itself a Mac, but no Mac is touched. */
function isAppleTouch(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}
