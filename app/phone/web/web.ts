/** The phone's page of this signer: its server, the sheet in it, and the person who verifies there. */
import { inPage, type PageKey } from './page-verification.ts';
import type { Verify } from '../../../adapters/biometrics/verification.ts';
import { readSealedByPasskey } from './sealed-copies.ts';
import type { Approval } from '../../../adapters/phone-page/protocol.ts';
import { startPageServer } from '../../../adapters/phone-page/server.ts';
import type { Running } from '../../running.ts';
import { WrongUsage } from '../../trouble.ts';
import { version } from '../../version.ts';
import { watchLog } from '../../watch-log.ts';
import type { Holding } from '../holding.ts';
import type { PersonParts, PhoneProcess } from '../phone.ts';
import { identities } from '../records.ts';
import type { Screen } from '../screens.ts';
import { perform } from './actions.ts';
import { activityOf } from './activity.ts';
import { certificateFor, type PlaceCertificate } from './authority-files.ts';
import { pairedBrowsers } from './browsers.ts';
import { createCreations } from './creations.ts';
import { admit } from './invitation.ts';
import { pageFiles } from './page-files.ts';
import { createPages } from './pages.ts';
import { createPageScreen } from './page-screen.ts';
import { phoneState } from './phone-state.ts';
import { originOf, publishPlace, type Place } from './place.ts';
import { createPush } from './push.ts';
import { createWaking } from './waking.ts';

export interface Web {
  readonly origin: string;
  /** `null` on localhost. */
  readonly certificate: PlaceCertificate | null;
  readonly screen: Screen;
  /** Whether it is this page that can approve for the identity of this fingerprint. */
  approves(fingerprint: string): boolean;
  /** For those identities. */
  verify(parts: PersonParts): Verify;
  /** The phone runs: from now on pages are told of it, and may change it. */
  attach(phone: PhoneProcess): void;
  close(): Promise<void>;
}

/** How often a certificate is looked at. Milliseconds. */
const RENEWAL_PERIOD = 6 * 3600 * 1000;

/**
 * Listens and publishes. `say`: lines for the person at the terminal. Rejects with the system's
 * error when the port cannot be had. @throws {Trouble} @throws {WrongUsage}
 */
export async function startWeb(
  running: Running,
  place: Place,
  say: (line: string) => void,
): Promise<Web> {
  const { home, log } = running;
  const origin = originOf(place);
  const rpId = place.host;
  const isLocal = place.certificate.kind === 'none';
  const file = await pageFiles().catch((error: Error) => {
    throw new WrongUsage(`the page cannot be built: ${error.message}`);
  });
  let certificate = isLocal ? null : await certificateFor(home, place);
  let phone: PhoneProcess | null = null;

  const pages = createPages();
  const push = createPush({ home, log });
  const creations = createCreations({ home, log, origin, rpId });
  const activity = activityOf(log);
  const holdingOf = (fingerprint: string) =>
    identities(log).find((one) => one.fingerprint === fingerprint);

  const screen = createPageScreen({
    tell: pages.tell,
    bytesOf: (ref) => phone?.challengeFor(ref) ?? null,
    approvalOf(fingerprint) {
      const identity = holdingOf(fingerprint);
      return approvalOf(home, rpId, fingerprint, identity?.holding);
    },
    isAwake: () => phone?.isAwake() ?? false,
    arrived: createWaking({
      isAnyVisible: pages.isAnyVisible,
      isUnseen: (ref) => screen.isUnseen(ref),
      asleep(ref) {
        screen.unseen(ref);
        void push.wake(ref);
      },
    }),
  });
  pages.attach(
    {
      stateFor(browserId) {
        const context = phone?.signer.actor.getSnapshot().context ?? { links: [], instance: null };
        return phoneState({ log, origin, rpId, activity, push }, context, browserId);
      },
      perform: (action, browserId) =>
        perform({ home, log, creations, push }, action, browserId).finally(pages.changed),
    },
    screen,
  );

  const serve = (host: string) =>
    startPageServer({
      origin,
      listen: { host, port: place.port },
      tls: certificate === null ? null : { cert: certificate.cert, key: certificate.key },
      release: version(),
      file,
      browsers: () => pairedBrowsers(log),
      admit: (code, browser) => admit(log, code, browser, Date.now()),
      connected: pages.connected,
    });
  const publishing = isLocal ? null : publishPlace(place);
  // The runs of before are folded before a request can come.
  activity();
  const server = await serve(isLocal ? '127.0.0.1' : '::').catch((error: NodeJS.ErrnoException) => {
    // A machine without IPv6.
    if (error.code === 'EAFNOSUPPORT' && !isLocal) return serve('0.0.0.0');
    throw error;
  });
  running.onHalt(() => void server.close());
  const published = publishing?.subscribe((fact) => {
    if (fact.type === 'advertiser.unavailable') {
      say(`the page’s name is not published on this network: ${fact.detail}`);
    }
  });
  const stopWatching = watchLog(log, () => {
    server.recheckBrowsers();
    pages.changed();
    push.dropUnpaired();
  });
  const renewing = setInterval(() => void renew(), RENEWAL_PERIOD).unref();

  async function renew(): Promise<void> {
    if (certificate === null) return;
    const now = await certificateFor(home, place).catch(() => null);
    if (now === null || now.cert === certificate.cert) return;
    try {
      server.replaceCertificate({ cert: now.cert, key: now.key });
      certificate = now;
    } catch {
      // Not whole yet: the next look takes it.
    }
  }

  return {
    origin,
    certificate,
    screen: screen.screen,
    approves: screen.approves,
    verify: (parts) =>
      inPage({
        keyOf: (fingerprint) => pageKeyOf(holdingOf(fingerprint), origin),
        challengeFor: parts.challengeFor,
        answerOf: screen.answerOf,
        keep: parts.keep,
      }),
    attach(started) {
      phone = started;
      started.signer.actor.subscribe(pages.changed);
      pages.changed();
    },
    async close() {
      clearInterval(renewing);
      stopWatching();
      published?.unsubscribe();
      push.close();
      await server.close();
    },
  };
}

function approvalOf(
  home: string,
  rpId: string,
  fingerprint: string,
  holding: Holding | undefined,
): Approval {
  if (holding === undefined || holding.by === 'passphrase') return { by: 'terminal' };
  const { credential } = holding.passkey;
  if (credential.rpId !== rpId) return { by: 'otherPage', rpId: credential.rpId };
  if (holding.by === 'passkey') return { by: 'passkey', credential };
  const sealed = readSealedByPasskey(home, fingerprint);
  return { by: 'sealed', credential, sealed };
}

function pageKeyOf(
  identity: { publicKey: string; holding: Holding } | undefined,
  origin: string,
): PageKey | null {
  if (identity === undefined || identity.holding.by === 'passphrase') return null;
  const { by, passkey } = identity.holding;
  const { credential, publicKey } = passkey;
  return {
    publicKey: Buffer.from(identity.publicKey, 'base64'),
    passkey: {
      publicKey: Buffer.from(publicKey, 'base64'),
      credentialId: credential.id,
      origin,
    },
    isSealed: by === 'sealed',
  };
}
