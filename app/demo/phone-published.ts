import type { PhoneProcess } from '../phone/phone.ts';

/** Probing takes about a second (RFC 6762 §8). Milliseconds. */
const PATIENCE = 3_000;

/** Whether the phone's DNS-SD instance is on the network, or comes within three seconds. */
export function phonePublished({ signer }: PhoneProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const decide = (isPublished: boolean) => {
      clearTimeout(timeout);
      watching.unsubscribe();
      resolve(isPublished);
    };
    const timeout = setTimeout(() => decide(false), PATIENCE);
    const watching = signer.actor.subscribe(({ context }) => {
      if (context.instance !== null) decide(true);
    });
  });
}
