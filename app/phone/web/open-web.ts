/** `signer start --web`: the page is opened, and its person told what they should know of it. */
import type { Running } from '../../running.ts';
import { Trouble, WrongUsage } from '../../trouble.ts';
import { authorityName, certificateWarning, forgetCertificates } from './authority-files.ts';
import { pairedBrowsers } from './browsers.ts';
import type { WantedPlace } from './page-options.ts';
import { choosePlace, keepPlace, placeOf, type Place } from './place.ts';
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
  const place = choosePlace(running.log, isFirst ? afterFailedStart(running.home, wanted) : wanted);
  try {
    const web = await startWeb(running, place, say);
    await keep(running, place, web);
    const first = `it keeps the name ${place.host} and the port ${place.port} for good`;
    return { web, news: [...newsOf(running, web), ...(isFirst ? [first] : [])] };
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new WrongUsage(`port ${place.port} of the page is taken; is signer running already?`);
    }
    if (syscall === 'listen') throw new WrongUsage(`the page cannot be served: ${message}`);
    if (error instanceof Trouble || error instanceof WrongUsage) throw error;
    throw new Trouble('stateUnusable', message);
  }
}

/** A first start that came to nothing may have left its authority: its name is as good as any. */
function afterFailedStart(home: string, wanted: WantedPlace): WantedPlace {
  const name = authorityName(home);
  if (name === null) return wanted;
  if (wanted.name === undefined) return { ...wanted, name };
  if (wanted.name !== name) forgetCertificates(home);
  return wanted;
}

async function keep(running: Running, place: Place, web: Web): Promise<void> {
  try {
    keepPlace(running.log, place);
  } catch (error) {
    await web.close();
    throw error;
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
