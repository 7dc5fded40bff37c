import { describe } from 'vitest';
import { tellAwaitingSigner } from '../support/story-awaiting-signer.ts';
import { untilSent, untilWanted } from '../support/story-headset.ts';

describe('a connection', () => {
  tellAwaitingSigner({
    looking: () => untilWanted(),
    sent: () => untilSent(),
    path: ['idle', 'handshaking', 'discovering', 'offering', 'challengeSent'],
  });
});
