/** What the agent says of itself, one plain line each, on stderr: a service's goes to its journal. */
import { failureLines } from '../../command-line.ts';
import { showForeign } from '../../terminal/foreign-text.ts';
import { say } from '../../terminal/say.ts';
import { ASLEEP, WAITING } from '../overlay.ts';
import type { PhoneLink } from '../phone-link.ts';
import type { Asked, SigningNews } from './signing.ts';

/** Tells when the link comes and goes, from now on. */
export function narrateAgent({ link }: PhoneLink) {
  let linked = '';
  link.actor.subscribe(({ value, context }) => {
    const isUp = typeof value === 'object' && value.active === 'up';
    const now = isUp ? (context.phone?.name ?? '') : '';
    if (now === linked) return;
    linked = now;
    say(now === '' ? 'the phone is not linked' : `linked with ${showForeign(now)}`);
  });

  return {
    tell(asked: Asked, news: SigningNews): void {
      const what = whatFor(asked);
      if (news === 'waits') say(`${what}: ${WAITING} code ${asked.code}`);
      else if (news === 'asleep') say(`${what}: ${ASLEEP}`);
      else if (news === 'signed') say(`${what}: signed`);
      else {
        const [message = '', ...hint] = failureLines(news);
        say([`${what}: ${message}`, ...hint].join('\n'));
      }
    },
  };
}

/** Of a request: who logs in where, and with which key. */
export function whatFor({ user, host, label }: Asked): string {
  const at = host === '' ? '' : `@${showForeign(host, 80)}`;
  const what = user === '' ? 'a signature' : `login as ${showForeign(user)}${at}`;
  return label === '' ? what : `${what} with ${showForeign(label)}`;
}
