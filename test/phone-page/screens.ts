/** Every screen that the page has: all are looked at by axe, and `npm run screens` draws them. */
import type { Page } from 'playwright-core';
import { desktop, fingerprints, iPhone, scene, sheets, state, type Scene } from './scenes.ts';

export interface NamedScreen {
  scene: Scene;
  hash?: string;
  /** What a person does to get there. */
  reach?: (page: Page) => Promise<void>;
}

export const unpaired = (change: Partial<Scene> = {}) =>
  scene({ link: 'unpaired', state: null, ...change });
export const empty = state({
  identities: [],
  devices: [],
  activity: [],
  hosts: [],
  browsers: [],
});
export const identityHash = (fingerprint: string) =>
  `#identities/${encodeURIComponent(fingerprint)}`;

const ended = (change: Partial<NonNullable<Scene['ended']>>) =>
  scene({
    ended: {
      ref: 'a',
      outcome: 'expired',
      host: 'web.example.org',
      user: 'deploy',
      isTooLate: false,
      until: 60_000,
      ...change,
    },
  });

async function toSecondStep(page: Page): Promise<void> {
  await page.evaluate("fake.answers.create = 'continue'");
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('button', { name: 'Seal the key' }).waitFor();
}

export const screens: Record<string, NamedScreen> = {
  start: { scene: unpaired() },
  'start, in Safari': { scene: unpaired({ abilities: { ...iPhone, isStandalone: false } }) },
  'start, unpaired': { scene: unpaired({ wasUnpaired: true }) },
  connecting: { scene: scene({ link: 'connecting', state: null }) },
  home: { scene: scene() },
  'home, lost': { scene: scene({ link: 'lost' }) },
  'home, outdated': { scene: scene({ link: 'outdated' }) },
  'home, empty': { scene: scene({ state: empty }) },
  'home, too late': { scene: ended({ isTooLate: true }) },
  'home, signed': { scene: ended({ outcome: 'signed' }) },
  identities: { scene: scene(), hash: '#identities' },
  'identities, none': { scene: scene({ state: empty }), hash: '#identities' },
  'new identity': { scene: scene(), hash: '#identities/new' },
  'new identity, on localhost': {
    scene: scene({ state: state({ isLocal: true }), abilities: { ...desktop, prf: false } }),
    hash: '#identities/new',
  },
  'new identity, second step': { scene: scene(), hash: '#identities/new', reach: toSecondStep },
  'identity created': { scene: scene(), hash: identityHash(`created:${fingerprints.sealed}`) },
  'identity, passkey': { scene: scene(), hash: identityHash(fingerprints.passkey) },
  'identity, sealed': { scene: scene(), hash: identityHash(fingerprints.sealed) },
  'identity, in the terminal': { scene: scene(), hash: identityHash(fingerprints.terminal) },
  activity: { scene: scene(), hash: '#activity' },
  'activity, none': { scene: scene({ state: empty }), hash: '#activity' },
  devices: { scene: scene(), hash: '#devices' },
  device: { scene: scene(), hash: '#devices/vision' },
  'device, muted': { scene: scene(), hash: '#devices/thinkpad' },
  settings: { scene: scene(), hash: '#settings' },
  'settings, empty': {
    scene: scene({ state: empty, abilities: { ...iPhone, push: false } }),
    hash: '#settings',
  },
  ...Object.fromEntries(
    Object.entries(sheets).map(([name, sheet]) => [`sheet, ${name}`, { scene: scene({ sheet }) }]),
  ),
};
