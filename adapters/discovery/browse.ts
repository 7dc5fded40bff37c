// The package's front door loads 220 files: 30 ms at every start.
import { Observable } from 'rxjs/internal/Observable';
import type { PeerFact } from '../../machines/headset/ports.ts';
import type { Endpoint } from '../../machines/ports.ts';
import { createAllowance } from './allowance.ts';
import { createRecordCache, type RecordCache } from './cache.ts';
import { openOnEveryInterface, type MulticastOptions } from './every-interface.ts';
import type { MulticastSocket } from './multicast.ts';
import { foldName, isServiceType } from './names.ts';
import { createQuestionSchedule, type QuestionSchedule } from './questions.ts';

export interface BrowseOptions extends MulticastOptions {
  /** E.g. `_vmux-signer._tcp`. */
  serviceType: string;
}

const maxEndpoints = 16;

/** Each fact is recorded durably: a neighbour's flood must not become ours. The rest waits. */
const factsAtOnce = 64;
const factsPerSecond = 20;

/** RFC 6762 §5.2: what a change of network starts on every machine at once is spread out. */
const spreadFrom = 20;
const spreadOver = 100;

const longestWait = 3_600_000;

/**
 * Browses and resolves the instances of a service type on every interface, until unsubscribed
 * (RFC 6762 §5.2, RFC 6763 §4).
 *
 * `peer.found` when an instance has a port and an address, and again whenever its endpoints change:
 * all interfaces together, IPv4 first, then IPv6 link-local with scope. `peer.gone` when the last
 * of them said goodbye, expired or went with its interface. Only addresses on the interface's own
 * subnets count. All of it is hearsay: anyone on the network can say it, and the pin is the trust.
 *
 * Never errors and never completes; where multicast is impossible it stays silent.
 *
 * @throws {RangeError} if `serviceType` is none
 */
export function browse(options: BrowseOptions): Observable<PeerFact> {
  const { serviceType } = options;
  if (!isServiceType(serviceType)) throw new RangeError(`not a service type: ${serviceType}`);

  return new Observable((subscriber) => {
    const views = new Map<MulticastSocket, { cache: RecordCache; schedule: QuestionSchedule }>();
    const reported = new Map<string, { instance: string; endpoints: string }>();
    const allowance = createAllowance(factsAtOnce, factsPerSecond);
    const startedAt = performance.now();
    let wake: NodeJS.Timeout | undefined;

    function update(): void {
      if (subscriber.closed) return;
      clearTimeout(wake);
      const now = performance.now();
      for (const { cache, schedule } of views.values()) {
        cache.expire(now);
        schedule.ask(now);
      }
      const everythingReported = report(now);
      if (subscriber.closed) return;
      const next = Math.min(
        everythingReported ? Infinity : allowance.nextAt(now),
        ...[...views.values()].flatMap(({ cache, schedule }) => [
          cache.nextChange(),
          schedule.nextDue(),
        ]),
      );
      const wait = Math.min(Math.max(next - performance.now(), 1), longestWait);
      wake = setTimeout(update, Math.ceil(wait));
    }

    function report(now: number): boolean {
      const seen = resolvedInstances([...views.values()].map(({ cache }) => cache));
      for (const [key, { instance }] of reported) {
        if (seen.has(key)) continue;
        if (!allowance.take(now)) return false;
        reported.delete(key);
        subscriber.next({ type: 'peer.gone', instance });
      }
      for (const [key, { instance, endpoints }] of seen) {
        const endpointsKey = JSON.stringify(endpoints);
        const before = reported.get(key);
        if (before?.endpoints === endpointsKey) continue;
        if (!allowance.take(now)) return false;
        const name = before?.instance ?? instance;
        reported.set(key, { instance: name, endpoints: endpointsKey });
        subscriber.next({ type: 'peer.found', instance: name, endpoints });
      }
      return true;
    }

    const close = openOnEveryInterface(options, {
      joined(socket) {
        const now = performance.now();
        const cache = createRecordCache(serviceType, () => socket.networkInterface);
        // A browse that a person just started has nobody to be spread out from.
        const firstAt =
          now - startedAt < 1000 ? now : now + spreadFrom + Math.random() * spreadOver;
        const schedule = createQuestionSchedule(serviceType, socket, cache, firstAt);
        views.set(socket, { cache, schedule });
        update();
      },
      left(socket) {
        views.delete(socket);
        update();
      },
      received(socket, message, source) {
        if (message.kind !== 'response' || source.port !== socket.port) return;
        views.get(socket)?.cache.take(message, performance.now());
        update();
      },
      unavailable() {},
    });

    return () => {
      clearTimeout(wake);
      close();
    };
  });
}

/** The instances that can be dialled, merged over interfaces, by folded name. */
function resolvedInstances(
  caches: RecordCache[],
): Map<string, { instance: string; endpoints: Endpoint[] }> {
  const merged = new Map<string, { instance: string; ipv4: Endpoint[]; ipv6: Endpoint[] }>();
  for (const cache of caches) {
    for (const { instance, port, ipv4, ipv6 } of cache.sightings()) {
      const key = foldName(instance);
      const entry = merged.get(key) ?? { instance, ipv4: [], ipv6: [] };
      merged.set(key, entry);
      entry.ipv4.push(...ipv4.map((address) => ({ address, port })));
      entry.ipv6.push(...ipv6.map((address) => ({ address, port })));
    }
  }
  const resolved = new Map<string, { instance: string; endpoints: Endpoint[] }>();
  for (const [key, { instance, ipv4, ipv6 }] of merged) {
    const endpoints = distinct([...ipv4, ...ipv6]).slice(0, maxEndpoints);
    if (endpoints.length > 0) resolved.set(key, { instance, endpoints });
  }
  return resolved;
}

function distinct(endpoints: Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((each) => [`${each.address} ${each.port}`, each])).values()];
}
