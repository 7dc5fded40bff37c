// The package's front door loads 220 files: 30 ms at every start.
import { Observable } from 'rxjs/internal/Observable';
import type { AdvertiseFact } from '../../machines/phone/ports.ts';
import { openOnEveryInterface, type MulticastOptions } from './every-interface.ts';
import type { MulticastSocket } from './multicast.ts';
import { isPublishableLabel, isServiceType, randomInstance, renamed } from './names.ts';
import { addressesOf, type PublishedService } from './records.ts';
import { respond, type Responder } from './responder.ts';

export interface PublishOptions extends MulticastOptions {
  /** E.g. `_vmux-signer._tcp`. */
  serviceType: string;
  /** The TCP port of the listener. */
  port: number;
  /** One label of at most 63 bytes without dots; random when left out. */
  instance?: string | undefined;
  /** One label, without `.local`; random when left out. */
  hostname?: string | undefined;
  /** The host name is known elsewhere: when somebody has it, wait until they have not. */
  keepHostname?: boolean | undefined;
  /** Readable by everyone on the network. */
  txt?: Record<string, string> | undefined;
}

/** RFC 6763 §6.1, §6.2: a pair is at most 255 bytes, and all of them fit one packet. */
const maxPairBytes = 255;
const maxTextBytes = 1300;

/**
 * RFC 6762 §8.1, in milliseconds. It asks for the pause after fifteen conflicts in ten seconds; a
 * neighbour that contests every name would stay just below that.
 */
const probeSpread = 250;
const conflictWindow = 10_000;
const maxConflicts = 5;
const conflictPause = 5000;

/**
 * Publishes one instance of a service on every interface until unsubscribed, which says goodbye.
 * The goodbye leaves in the next turns of the event loop: a process that exits in the same turn
 * leaves without it.
 *
 * `advertiser.published` once the first interface has probed and announced, and again under another
 * name after a conflict. `advertiser.unavailable` when no interface can: none there, no permission,
 * port taken, sending refused; `detail` is the system's. It keeps trying, and reports `published`
 * when it works again.
 *
 * @throws {RangeError} on names, ports or text that cannot be published
 */
export function publish(options: PublishOptions): Observable<AdvertiseFact> {
  const { serviceType, port, txt = {} } = options;
  checkPublishable(options);

  return new Observable((subscriber) => {
    const instance = options.instance ?? randomInstance();
    const hostname = options.hostname ?? randomInstance();
    let published: PublishedService = { serviceType, instance, hostname, port, txt };
    let attempt = 0;
    let conflicts: number[] = [];
    const places = new Map<MulticastSocket, { responder: Responder; state: PlaceState }>();
    let reported: string | null = null;

    function start(socket: MulticastSocket, delay: number): void {
      const place = {
        state: 'starting' as PlaceState,
        responder: respond(socket, published, delay, ownAddresses, {
          announced() {
            place.state = 'announced';
            report({ type: 'advertiser.published', instance: published.instance });
          },
          conflict: rename,
          unsendable(detail) {
            place.state = 'unsendable';
            if ([...places.values()].every(({ state }) => state === 'unsendable'))
              report({ type: 'advertiser.unavailable', detail });
          },
        }),
      };
      places.set(socket, place);
    }

    function rename(): void {
      attempt += 1;
      published = {
        ...published,
        instance: renamed(instance, attempt),
        hostname: options.keepHostname ? hostname : renamed(hostname, attempt),
      };
      const now = performance.now();
      conflicts = [...conflicts.filter((at) => now - at < conflictWindow), now];
      const isKept = options.keepHostname ?? false;
      if (isKept) report({ type: 'advertiser.unavailable', detail: `${hostname}.local is taken` });
      const delay = conflicts.length < maxConflicts && !isKept ? 0 : conflictPause;
      for (const [socket, { responder }] of places) {
        responder.stop();
        start(socket, delay);
      }
    }

    function report(fact: AdvertiseFact): void {
      const key = JSON.stringify(fact);
      if (reported === key) return;
      reported = key;
      subscriber.next(fact);
    }

    function ownAddresses(): Set<string> {
      return addressesOf([...places.keys()].map((socket) => socket.networkInterface));
    }

    const close = openOnEveryInterface(options, {
      joined(socket) {
        if (!subscriber.closed) start(socket, Math.random() * probeSpread);
      },
      left(socket) {
        places.get(socket)?.responder.stop();
        places.delete(socket);
      },
      received: (socket, message, source) =>
        places.get(socket)?.responder.received(message, source),
      unavailable: (detail) => report({ type: 'advertiser.unavailable', detail }),
    });

    return () => {
      let left = places.size;
      if (left === 0) close();
      for (const { responder } of places.values())
        responder.sayGoodbye(() => {
          left -= 1;
          if (left === 0) close();
        });
      places.clear();
    };
  });
}

type PlaceState = 'starting' | 'announced' | 'unsendable';

function checkPublishable({
  serviceType,
  port,
  instance,
  hostname,
  txt = {},
}: PublishOptions): void {
  if (!isServiceType(serviceType)) throw new RangeError(`not a service type: ${serviceType}`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RangeError(`not a port: ${port}`);
  for (const label of [instance, hostname])
    if (label !== undefined && !isPublishableLabel(label))
      throw new RangeError(`not one publishable label: ${JSON.stringify(label)}`);
  const sizes = Object.entries(txt).map(([key, value]) => Buffer.byteLength(`${key}=${value}`));
  const total = sizes.reduce((sum, size) => sum + size + 1, 0);
  if (sizes.some((size) => size > maxPairBytes) || total > maxTextBytes)
    throw new RangeError('TXT does not fit (RFC 6763 §6)');
}
