/** `signer web setup`: the way to the page on an iPhone, in the only order that works there. */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { renderUnicodeCompact } from 'uqr';
import { profileFor } from '../../../adapters/certificates/profile.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { ask } from '../../terminal/ask.ts';
import { say } from '../../terminal/say.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { certificateFor } from './authority-files.ts';
import { awaitPairing } from './await-pairing.ts';
import { originOf, placeOf, type Place } from './place.ts';
import { serveProfile } from './profile-server.ts';

export interface SetupParts {
  home: string;
  log: EventLog;
  /** The person wants to end it. */
  interrupted: AbortSignal;
}

/** The place of a page that is being served now. @throws {WrongUsage} */
export async function servedPlace(log: EventLog): Promise<Place> {
  const place = placeOf(log);
  if (place === null || !(await answers(place.port))) {
    throw new WrongUsage(
      'the page is not served: run signer start --web in another terminal first',
    );
  }
  return place;
}

export async function setUp(parts: SetupParts): Promise<void> {
  const place = await servedPlace(parts.log);
  const isOwn = place.certificate.kind === 'own';
  if (isOwn) await trust(parts, place);
  if (place.certificate.kind !== 'none') await toHomeScreen(parts, place, isOwn ? 3 : 1);
  else say(`open ${originOf(place)} in a browser of this machine`);
  await pairPage(parts);
}

/** Until a browser is paired; codes that ran out are followed by new ones. */
export async function pairPage({ log, interrupted }: SetupParts): Promise<void> {
  for (;;) {
    const name = await awaitPairing(log, interrupted);
    if (name !== null) return say(`paired with ${name}. make an identity there, and you are ready`);
    say('that code has ended without a phone');
    await next('Enter for a new code, Ctrl-C to stop: ', interrupted);
  }
}

async function trust({ home, interrupted }: SetupParts, place: Place): Promise<void> {
  const { authority } = await certificateFor(home, place);
  if (authority === null) return;
  const profile = await serveProfile(profileFor(place.host, authority.certificatePem));
  try {
    const path = `:${profile.port}${profile.path}`;
    say('1 of 4  Load the profile. Scan this with the iPhone’s camera, and allow the download.');
    showCode(`http://${place.host}${path}`);
    for (const address of ownAddresses()) say(`  if that leads nowhere: http://${address}${path}`);
    await next('Enter when it says that the profile was downloaded: ', interrupted);
  } finally {
    await profile.close();
  }
  say(`
2 of 4  Compare, then trust.
  Settings → General → VPN & Device Management → the profile → More Details → the certificate.
  Its SHA-256 has to be this, since everybody on the network could have sent you another one:

    ${authority.sha256.slice(0, 47)}
    ${authority.sha256.slice(48)}

  If it differs in one digit, remove the profile. If it is the same: install it, and then
  Settings → General → About → Certificate Trust Settings → switch it on.
  It can certify ${place.host}, and no other host.
`);
  await next('Enter when it is switched on: ', interrupted);
}

/** `step`: its number, of this and the next one. */
async function toHomeScreen(
  { interrupted }: SetupParts,
  place: Place,
  step: number,
): Promise<void> {
  const origin = originOf(place);
  say(
    `\n${step} of ${step + 1}  Add the page to the Home Screen. Scan this, and open it in Safari:`,
  );
  showCode(origin);
  say('  Share → Add to Home Screen. Then open it from the Home Screen, not in Safari:');
  say('  what the one stores, the other does not have.');
  await next('Enter when it is open: ', interrupted);
  say(`\n${step + 1} of ${step + 1}  Pair.`);
}

/** White on black by itself: a camera may not read a code whose colours are the other way round. */
function showCode(text: string): void {
  const lines = renderUnicodeCompact(text, { border: 2 }).split('\n');
  const drawn = lines.map((line) =>
    process.stderr.isTTY ? `\u001b[97;40m${line}\u001b[0m` : line,
  );
  say(`\n${drawn.join('\n')}\n\n  ${text}`);
}

/** @throws {Trouble} `cancelled` */
async function next(question: string, interrupted: AbortSignal): Promise<void> {
  if ((await ask(question, interrupted)) === null) throw new Trouble('cancelled');
}

/** IPv4, of the networks that a phone may be on. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address),
  );
}

/** Whether something listens there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
    socket.setTimeout(2_000, () => end(false));
  });
}
