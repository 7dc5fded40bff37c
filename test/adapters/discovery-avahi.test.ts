import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PeerFact } from '../../machines/headset/ports.ts';
import { avahiMissing, startAvahi, type Avahi } from '../support/avahi.ts';
import { makeNamespacePair, namespacesMissing, type NamespacePair } from '../support/namespaces.ts';
import { factsOfProgram, watchFacts } from '../support/watch-facts.ts';

const serviceType = '_vmux-signer._tcp';
const program = fileURLToPath(new URL('../support/discovery-program.ts', import.meta.url));
const missing = namespacesMissing ?? avahiMissing;
const needs = missing === null ? '' : ` (skipped: needs ${missing})`;

/** The first line that starts so, of what a program prints from now on or has printed. */
function watchLines(of: ChildProcess): (start: string) => Promise<string> {
  const watch = watchFacts(
    new Observable<{ type: 'line'; line: string }>((subscriber) => {
      if (of.stdout === null) throw new Error('stdout must be a pipe');
      createInterface({ input: of.stdout }).on('line', (line) =>
        subscriber.next({ type: 'line', line }),
      );
    }),
  );
  return async (start) => (await watch.until('line', ({ line }) => line.startsWith(start))).line;
}

describe.skipIf(missing !== null)(`discovery with avahi${needs}`, () => {
  let pair: NamespacePair;
  let avahi: Avahi;
  beforeEach(async () => {
    pair = makeNamespacePair();
    avahi = await startAvahi(pair.right);
  });
  afterEach(() => {
    pair.dispose();
    avahi.dispose();
  });

  it('a service that avahi publishes is found, and gone when it stops', async () => {
    const publisher = avahi.spawn('avahi-publish', [
      '-s',
      "Ann's phone",
      serviceType,
      '4433',
      'a=b',
    ]);
    const child = pair.left.spawn(process.execPath, [program, 'browse', serviceType], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const browser = watchFacts(factsOfProgram<PeerFact>(child));
    const found = await browser.until('peer.found');
    expect(found.instance).toBe("Ann's phone");
    expect(found.endpoints[0]).toEqual({ address: pair.right.address, port: 4433 });
    publisher.kill('SIGTERM');
    expect((await browser.until('peer.gone')).instance).toBe("Ann's phone");
  });

  it('avahi resolves what is published, and sees it leave', async () => {
    const line = watchLines(avahi.spawn('avahi-browse', ['--resolve', '--parsable', serviceType]));
    const publisher = pair.left.spawn(
      process.execPath,
      [program, 'publish', serviceType, '4433', 'phone-a', 'host-a'],
      { stdio: 'ignore' },
    );
    const resolved = await line(`=;${pair.right.interfaceName};IPv4;phone-a;`);
    expect(resolved.split(';').slice(4)).toEqual([
      serviceType,
      'local',
      'host-a.local',
      pair.left.address,
      '4433',
      '',
    ]);
    publisher.kill('SIGTERM');
    await line(`-;${pair.right.interfaceName};IPv4;phone-a;`);
  });
});
