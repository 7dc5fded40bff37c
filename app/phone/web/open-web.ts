/** `signer start --web`: the page is opened, and its person told what they should know of it. */
import type { Running } from '../../running.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { certificateWarning, forgetCertificatesOf } from './authority-files.ts';
import { pairedBrowsers } from './browsers.ts';
import type { WantedPlace } from './page-options.ts';
import { choosePlace, keepPlace, placeOf } from './place.ts';
import { startWeb, type Web } from './web.ts';

/**
 * Listens. `news`: lines for its person; later ones go to `say`.
 * @throws {WrongUsage} @throws {Trouble}
 */
export async function openWeb(
  running: Running,
  wanted: WantedPlace,
  say: (line: string) => void,
): Promise<{ web: Web; news: string[] }> {
  const isFirst = placeOf(running.log) === null;
  const place = choosePlace(running.log, wanted);
  try {
    const web = await startWeb(running, place, say);
    keepPlace(running.log, place);
    const first = `it keeps the name ${place.host} and the port ${place.port} for good`;
    return { web, news: [...newsOf(running, web), ...(isFirst ? [first] : [])] };
  } catch (error) {
    // The next start may be for another name.
    if (placeOf(running.log) === null) forgetCertificatesOf(running.home, place.host);
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new WrongUsage(`port ${place.port} of the page is taken; is signer running already?`);
    }
    if (syscall === 'listen') throw new WrongUsage(`the page cannot be served: ${message}`);
    if (error instanceof Trouble || error instanceof WrongUsage) throw error;
    throw new Trouble('stateUnusable', message);
  }
}

function newsOf(running: Running, { origin, certificate }: Web): string[] {
  const news = [`the phone’s page is at ${origin}`];
  if (certificate !== null) {
    const { authority, notAfter } = certificate;
    if (authority !== null) news.push(`  its certificate authority: SHA-256 ${authority.sha256}`);
    const warning = certificateWarning(notAfter, Date.now());
    if (warning !== null) news.push(`  ${warning}`);
  }
  if (pairedBrowsers(running.log).length === 0) {
    news.push('hint: no phone is paired with it yet: signer web setup, in another terminal');
  }
  return news;
}
