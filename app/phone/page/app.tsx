/** The page: the start of a browser that is not paired, else the tabs; and the sheet above them. */
import { useEffect, useRef } from 'preact/hooks';
import { ActivityScreen } from './activity.tsx';
import { DevicesTab } from './devices.tsx';
import { Ended } from './ended.tsx';
import { HomeScreen } from './home.tsx';
import { IdentitiesTab } from './identities.tsx';
import type { PageSnapshot, Phone } from './port.ts';
import { useRoute, type Route } from './route.ts';
import { SettingsScreen } from './settings.tsx';
import { SheetPlace } from './sheet.tsx';
import { PhoneContext, useSnapshot } from './snapshot.ts';
import { StartScreen } from './start.tsx';
import { TabBar } from './tab-bar.tsx';

export function App({ phone }: { phone: Phone }) {
  const snapshot = useSnapshot(phone);
  return (
    <PhoneContext.Provider value={phone}>
      {snapshot.link === 'unpaired' ? (
        <StartScreen snapshot={snapshot} />
      ) : (
        <Tabs snapshot={snapshot} />
      )}
      <Ended ended={snapshot.ended} />
      <SheetPlace shown={snapshot.sheet} abilities={snapshot.abilities} />
    </PhoneContext.Provider>
  );
}

function Tabs({ snapshot }: { snapshot: PageSnapshot }) {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const place = `${route.tab}/${route.which ?? ''}`;
  const opened = useRef(place);

  useEffect(() => {
    const heading = main.current?.querySelector('h1') ?? null;
    document.title = heading === null ? 'Remote Signer' : `${heading.textContent} · Remote Signer`;
    // Whoever listens hears where they are now; at first that is the page itself.
    if (opened.current === place) return;
    opened.current = place;
    scrollTo(0, 0);
    heading?.focus({ preventScroll: true });
  }, [place]);

  return (
    <div class="tabs">
      <main ref={main}>
        <Screen route={route} snapshot={snapshot} />
      </main>
      <TabBar open={route.tab} />
    </div>
  );
}

function Screen({ route: { tab, which }, snapshot }: { route: Route; snapshot: PageSnapshot }) {
  const { state, abilities } = snapshot;
  if (state === null || tab === 'home') return <HomeScreen snapshot={snapshot} />;
  switch (tab) {
    case 'identities':
      return <IdentitiesTab which={which} state={state} abilities={abilities} />;
    case 'activity':
      return <ActivityScreen state={state} />;
    case 'devices':
      return <DevicesTab which={which} state={state} />;
    case 'settings':
      return <SettingsScreen state={state} abilities={abilities} />;
  }
}
