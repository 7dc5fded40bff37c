/** Which screen is open: `#TAB` or `#TAB/WHICH`, so that the browser's own way back works. */
import { useEffect, useState } from 'preact/hooks';

export const tabs = ['home', 'identities', 'activity', 'devices', 'settings'] as const;
export type Tab = (typeof tabs)[number];

export interface Route {
  tab: Tab;
  /** What of it: `new`, a fingerprint, a device's id. */
  which: string | null;
}

export const hrefOf = (tab: Tab, which: string | null = null) =>
  which === null ? `#${tab}` : `#${tab}/${encodeURIComponent(which)}`;

function readRoute(hash: string): Route {
  const [, tab = '', , which = null] = /^#([a-z]+)(\/(.+))?$/.exec(hash) ?? [];
  const known = tabs.find((one) => one === tab);
  if (known === undefined) return { tab: 'home', which: null };
  return { tab: known, which: which === null ? null : decoded(which) };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export function useRoute(): Route {
  const [hash, setHash] = useState(() => location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return readRoute(hash);
}

/** Opens a screen instead of the present one. */
export function replaceRoute(tab: Tab, which: string | null = null): void {
  location.replace(hrefOf(tab, which));
}
