import { describe, expect, it } from 'vitest';
import {
  home,
  iphone,
  otherPhone,
  requested,
  sign,
  wanted,
  withdrawn,
  work,
} from '../support/story-headset.ts';

const linked = { phone: iphone, identities: [work, home] };
const ours = { requestId: 'request-1' };

describe('a signature for another program', () => {
  it('is asked of the phone and given to the program', () => {
    const flow = sign();
    expect(flow.states()).toEqual(['discovering']);
    expect(flow.ports.link.inputs).toEqual([{ flowId: 'flow-1' }]);
    expect(flow.sent.link).toEqual([wanted]);

    flow.wait(800);
    flow.phone('link.up', linked);
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 8_950 })]);
    flow.phone('signer.presented', ours);
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });

    expect(flow.states()).toEqual(['discovering', 'challengeSent', 'awaitingFaceId', 'signed']);
    expect(flow.sent.link).toEqual([wanted, requested({ ttl: 8_950 })]);
    expect(flow.words()).toEqual([]);
    expect(flow.actor.getSnapshot().status).toBe('done');
    expect(flow.ports.link.running()).toBe(0);
  });

  it('counts its ten seconds from the moment the program asked', () => {
    const flow = sign({ at: 5_000 });
    flow.clock.set(5_000);
    flow.phone('link.up', linked);
    expect(flow.sent.link).toEqual([wanted, requested()]);
  });

  it('may have a time of its own', () => {
    const flow = sign({ signerTimeout: 30_000, queueTimeout: 5_000 });
    flow.phone('link.up', linked);
    expect(flow.sent.link).toEqual([
      wanted,
      requested({ ttl: 29_750, queueTtl: 4_750, sheetTtl: 29_750 }),
    ]);
    flow.wait(29_999);
    expect(flow.states()).toEqual(['discovering', 'challengeSent']);
    flow.wait(1);
    expect(flow.states()).toEqual(['discovering', 'challengeSent', 'timedOut']);
  });

  it('waits for the phone that offers the wanted identity', () => {
    const flow = sign();
    flow.phone('link.up', { phone: otherPhone, identities: [home] });
    expect(flow.states()).toEqual(['discovering']);
    flow.phone('link.up', linked);
    expect(flow.states()).toEqual(['discovering', 'challengeSent']);
    expect(flow.sent.link).toEqual([wanted, requested()]);
  });

  it('tells by its words that a linked phone does not offer the wanted identity', () => {
    const flow = sign();
    flow.phone('link.up', { phone: iphone, identities: [home] });
    flow.wait(10_000);
    expect(flow.states()).toEqual(['discovering', 'timedOut']);
    expect(flow.context().reason).toBe('noIdentity');
  });

  it('a link that drops before anything was sent is looked for until the clock ends', () => {
    const flow = sign();
    flow.phone('link.up', { phone: iphone, identities: [] });
    flow.phone('link.lost');
    flow.phone('link.nothingFound');
    expect(flow.states()).toEqual(['discovering']);
    flow.wait(10_000);
    expect(flow.states()).toEqual(['discovering', 'timedOut']);
    expect(flow.context().reason).toBe('linkLost');
    expect(flow.sent.link).toEqual([wanted]);
  });

  it.each([
    ['before it was sent', () => {}, ['discovering'], []],
    [
      'on its way',
      (flow: ReturnType<typeof sign>) => flow.phone('link.up', linked),
      ['discovering', 'challengeSent'],
      [requested(), withdrawn],
    ],
    [
      'in front of the person',
      (flow: ReturnType<typeof sign>) => {
        flow.phone('link.up', linked);
        flow.phone('signer.presented', ours);
      },
      ['discovering', 'challengeSent', 'awaitingFaceId'],
      [requested(), withdrawn],
    ],
    [
      'behind another sheet',
      (flow: ReturnType<typeof sign>) => {
        flow.phone('link.up', linked);
        flow.phone('signer.queued', ours);
      },
      ['discovering', 'challengeSent', 'queued'],
      [requested(), withdrawn],
    ],
  ])('the program that asked goes: its request is withdrawn, %s', (_, begin, path, commands) => {
    const flow = sign();
    begin(flow);
    flow.askerGoes();
    expect(flow.states()).toEqual([...path, 'failed']);
    expect(flow.sent.link).toEqual([wanted, ...commands]);
    expect(flow.words()).toEqual([
      'Cancelled.',
      'The request was withdrawn from the phone; nothing was signed.',
    ]);
  });

  it('a signature after the headset’s time-out goes nowhere', () => {
    const flow = sign();
    flow.phone('link.up', linked);
    flow.wait(10_000);
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    expect(flow.states()).toEqual(['discovering', 'challengeSent', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
  });

  it('says so when its link port fails', () => {
    const flow = sign({}, { link: true });
    expect(flow.states()).toEqual(['discovering', 'failed']);
    expect(flow.words()).toEqual([
      'Something failed inside this program.',
      'Nothing was signed. Please report it with the output of "vmux log" or "signer log".',
    ]);
  });

  it('forged and early facts do nothing', () => {
    const flow = sign();
    flow.phone('signer.queued', ours);
    flow.phone('signer.presented', ours);
    flow.phone('signer.signed', { ...ours, signatureHash: 'forged' });
    flow.phone('signer.denied', { ...ours, why: 'denied' });
    flow.forge({ type: 'user.approve', ref: 'request-1' });
    expect(flow.states()).toEqual(['discovering']);
    expect(flow.sent.link).toEqual([wanted]);
  });
});
