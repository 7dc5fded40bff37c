/**
 * Discovery as a program of its own, for tests that run it in a network namespace:
 * `browse SERVICE-TYPE` or `publish SERVICE-TYPE PORT [INSTANCE [HOSTNAME]]`. Prints a JSON line for
 * each fact, with `ms` since the start; ends well on SIGTERM, goodbye included.
 */
import type { Observable } from 'rxjs';
import { browse } from '../../adapters/discovery/browse.ts';
import { publish } from '../../adapters/discovery/publish.ts';

const [verb, serviceType = '', port, instance, hostname] = process.argv.slice(2);
const facts: Observable<object> =
  verb === 'browse'
    ? browse({ serviceType })
    : publish({ serviceType, port: Number(port), instance, hostname });

const startedAt = performance.now();
const running = facts.subscribe((fact) => {
  console.log(JSON.stringify({ ...fact, ms: Math.round(performance.now() - startedAt) }));
});
process.once('SIGTERM', () => running.unsubscribe());
