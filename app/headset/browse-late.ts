// The package's front door loads 220 files: 30 ms at every start.
import { Observable } from 'rxjs/internal/Observable';
import type { BrowseOptions } from '../../adapters/discovery/browse.ts';
import type { PeerFact } from '../../machines/headset/ports.ts';

/** `browse`, loaded only when it is begun: remembered addresses are being dialled by then. */
export function browseLate(options: BrowseOptions): Observable<PeerFact> {
  return new Observable((subscriber) => {
    const loading = import('../../adapters/discovery/browse.ts');
    loading.then(
      ({ browse }) => {
        if (!subscriber.closed) subscriber.add(browse(options).subscribe(subscriber));
      },
      (error: unknown) => subscriber.error(error),
    );
  });
}
