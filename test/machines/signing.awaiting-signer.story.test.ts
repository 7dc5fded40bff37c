import { describe } from 'vitest';
import { tellAwaitingSigner } from '../support/story-awaiting-signer.ts';
import { home, iphone, sign, work } from '../support/story-headset.ts';

describe('a signature for another program', () => {
  tellAwaitingSigner({
    looking: () => sign(),
    sent: () => {
      const flow = sign();
      flow.phone('link.up', { phone: iphone, identities: [work, home] });
      return flow;
    },
    path: ['discovering', 'challengeSent'],
  });
});
