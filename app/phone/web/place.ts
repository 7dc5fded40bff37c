/**
 * Where the phone's page is served. The name is inside every passkey's public key, and the browser
 * keeps what it stores under name and port: both are chosen once.
 */
import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import type { Observable } from 'rxjs';
import { publish } from '../../../adapters/discovery/publish.ts';
import type { EventLog } from '../../../adapters/event-log/store.ts';
import { isRpId } from '../../../adapters/wire/relying-party.ts';
import type { AdvertiseFact } from '../../../machines/phone/ports.ts';
import { WrongUsage } from '../../trouble.ts';
import type { WantedPlace } from './page-options.ts';

export interface Place {
  /** Host name; WebAuthn's relying party. */
  host: string;
  port: number;
  /** `own`: by an authority that is made here. `none`: plain HTTP, on localhost only. */
  certificate: { kind: 'own' } | { kind: 'files'; cert: string; key: string } | { kind: 'none' };
}

/** Beside the link's own. */
const DEFAULT_PORT = 47_823;
const SERVICE_TYPE = '_vmux-page._tcp';
const LOCAL = '.local';

const stream = 'web/this-phone';

/** `null`: no page was ever served here. */
export function placeOf(log: EventLog): Place | null {
  let place: Place | null = null;
  for (const { type, data } of log.read(stream)) {
    if (type === 'web.placed') place = data as unknown as Place;
    if (type === 'web.forgotten') place = null;
  }
  return place;
}

/** The next start chooses anew. */
export function forgetPlace(log: EventLog): void {
  log.append(stream, 'any', [{ type: 'web.forgotten' }]);
}

/** What was chosen at the first start, which this may be. @throws {WrongUsage} */
export function choosePlace(log: EventLog, wanted: WantedPlace): Place {
  const known = placeOf(log);
  return known === null ? newPlace(wanted) : samePlace(known, wanted);
}

/** For good: only once it was opened there. */
export function keepPlace(log: EventLog, place: Place): void {
  if (JSON.stringify(place) === JSON.stringify(placeOf(log))) return;
  log.append(stream, 'any', [{ type: 'web.placed', data: place }]);
}

export function originOf({ host, port, certificate }: Place): string {
  const isPlain = certificate.kind === 'none';
  return new URL(`${isPlain ? 'http' : 'https'}://${host}:${port}`).origin;
}

/** `null` for a name that is not ours to publish. */
export function publishPlace({ host, port }: Place): Observable<AdvertiseFact> | null {
  if (!host.endsWith(LOCAL)) return null;
  const hostname = host.slice(0, -LOCAL.length);
  if (hostname.includes('.')) return null;
  return publish({ serviceType: SERVICE_TYPE, port, hostname, keepHostname: true });
}

function newPlace({ name = randomName(), port = DEFAULT_PORT, cert, key }: WantedPlace): Place {
  if (!isRpId(name)) {
    throw new WrongUsage('a page’s name is a host name in lower case, and no address');
  }
  const isLocal = name === 'localhost';
  const certificate = certificateFrom(cert, key, isLocal) ?? { kind: isLocal ? 'none' : 'own' };
  return { host: name, port, certificate };
}

function samePlace(known: Place, { name, port, cert, key }: WantedPlace): Place {
  const isOther =
    (name !== undefined && name !== known.host) || (port !== undefined && port !== known.port);
  if (isOther) {
    throw new WrongUsage(
      `the page is at ${originOf(known)}: the name is in every passkey made there, the port in what the phone stores, so both stay. To begin anew: signer web forget`,
    );
  }
  const certificate = certificateFrom(cert, key, known.certificate.kind === 'none');
  return certificate === null ? known : { ...known, certificate };
}

function certificateFrom(
  cert: string | undefined,
  key: string | undefined,
  isLocal: boolean,
): Place['certificate'] | null {
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined) {
    throw new WrongUsage('--cert and --key go together');
  }
  if (isLocal) throw new WrongUsage('localhost needs no certificate');
  return { kind: 'files', cert: resolve(cert), key: resolve(key) };
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

function randomName(): string {
  const four = Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('');
  return `signer-${four}${LOCAL}`;
}
