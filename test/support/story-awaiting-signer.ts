/**
 * What the connection and the signing chart share: a request on its way, shown, or queued. Each
 * story is played on both.
 */
import { describe, expect, it } from 'vitest';
import {
  home,
  iphone,
  otherPhone,
  requested,
  wanted,
  withdrawn,
  work,
  type ConnectionStory,
  type SigningStory,
} from './story-headset.ts';

type Flow = ConnectionStory | SigningStory;

export interface Asking {
  /** A signature is wanted and no phone is linked. */
  looking: () => Flow;
  /** The request is on its way to the phone. */
  sent: () => Flow;
  /** The states up to there. */
  path: string[];
}

const ours = { requestId: 'request-1' };
const anothers = { requestId: 'request-2' };

/** Every answer a phone can give, for a request that this flow did not make. */
function answerAnother(flow: Flow) {
  flow.phone('signer.queued', anothers);
  flow.phone('signer.presented', anothers);
  flow.phone('signer.unseen', anothers);
  flow.phone('signer.signed', { ...anothers, signatureHash: 'signature-2' });
  flow.phone('signer.denied', { ...anothers, why: 'denied' });
  flow.phone('signer.expired', anothers);
  flow.phone('signer.failed', { ...anothers, reason: 'signingFailed' });
}

const words = {
  denied: ['The request was denied on the phone.', 'Nothing was signed. Approve it next time.'],
  wrongPassphrase: [
    'The request was denied on the phone: its owner could not be verified, three times.',
    'Nothing was signed. Reconnect; there, let Face ID see you, or type the passphrase of that identity.',
  ],
  wrongCode: [
    'The request was denied on the phone: another code was typed there, three times.',
    'Nothing was signed. Type the two digits beside “Waiting for iPhone signer…”; if they are not shown, see vmux agent requests.',
  ],
  identityDisabled: [
    'The phone refused: that identity is disabled.',
    'Enable it on the phone (signer identity enable LABEL), then retry.',
  ],
  notPresented: [
    'No iPhone signer found.',
    'The request was sent but the phone never showed it: it may be asleep. Open the signer there (its page, if it has one), or cycle Wi-Fi off and on, then retry.',
  ],
  notApproved: [
    'No iPhone signer found.',
    'The phone showed the request and nobody approved it in time. Look at the phone when you connect.',
  ],
  queuedTooLong: [
    'No iPhone signer found.',
    'The phone was busy with another request all the while. Answer that one, then retry.',
  ],
  linkLost: [
    'No iPhone signer found.',
    'The link to the phone dropped and did not come back: it may have gone to sleep. Keep the signer in the foreground, or use Mosh, which signs once.',
  ],
};

const stages: { stage: string; enter: (flow: Flow) => void; visited: string[] }[] = [
  { stage: 'challengeSent', enter: () => {}, visited: [] },
  {
    stage: 'phoneAsleep',
    enter: (flow) => flow.phone('signer.unseen', ours),
    visited: ['phoneAsleep'],
  },
  {
    stage: 'awaitingFaceId',
    enter: (flow) => flow.phone('signer.presented', ours),
    visited: ['awaitingFaceId'],
  },
  {
    stage: 'queued',
    enter: (flow) => flow.phone('signer.queued', ours),
    visited: ['queued'],
  },
];

const expiry = {
  challengeSent: words.notPresented,
  phoneAsleep: words.notPresented,
  awaitingFaceId: words.notApproved,
  queued: words.queuedTooLong,
} as Record<string, string[]>;

export function tellAwaitingSigner({ looking, sent, path }: Asking): void {
  describe.each(stages)('in $stage', ({ stage, enter, visited }) => {
    const begin = () => {
      const flow = sent();
      enter(flow);
      return flow;
    };
    const here = [...path, ...visited];

    it('an answer with another request id is ignored', () => {
      const flow = begin();
      answerAnother(flow);
      expect(flow.states()).toEqual(here);
      expect(flow.sent.link).toEqual([wanted, requested()]);
      expect(flow.words()).toEqual([]);
      expect(flow.context().request?.outstanding).toBe(true);
    });

    it('you tap "Deny": it fails by design, and nothing is asked again', () => {
      const flow = begin();
      flow.phone('signer.denied', { ...ours, why: 'denied' });
      flow.wait(120_000);
      expect(flow.states()).toEqual([...here, 'denied']);
      expect(flow.sent.link).toEqual([wanted, requested()]);
      expect(flow.words()).toEqual(words.denied);
      expect(flow.context().request?.outstanding).toBe(false);
    });

    it.each(['wrongPassphrase', 'wrongCode'] as const)(
      'what was typed wrong three times is told apart from "Deny": %s',
      (why) => {
        const flow = begin();
        flow.phone('signer.denied', { ...ours, why });
        expect(flow.states()).toEqual([...here, 'denied']);
        expect(flow.words()).toEqual(words[why]);
      },
    );

    it('the phone says that the request expired there', () => {
      const flow = begin();
      flow.phone('signer.expired', ours);
      expect(flow.states()).toEqual([...here, 'timedOut']);
      expect(flow.sent.link).toEqual([wanted, requested()]);
      expect(flow.words()).toEqual(expiry[stage]);
    });

    it('the phone refuses, and says why', () => {
      const flow = begin();
      flow.phone('signer.failed', { ...ours, reason: 'identityDisabled' });
      expect(flow.states()).toEqual([...here, 'failed']);
      expect(flow.sent.link).toEqual([wanted, requested()]);
      expect(flow.words()).toEqual(words.identityDisabled);
    });

    it('a link that drops and returns within the clock brings the same request to the same phone', () => {
      const flow = begin();
      flow.wait(2_000);
      flow.phone('link.lost');
      expect(flow.states()).toEqual([...here, 'discovering']);
      expect(flow.sent.link).toEqual([wanted, requested(), wanted]);
      flow.wait(1_000);
      flow.phone('link.up', { phone: iphone, identities: [home, work] });

      expect(flow.states()).toEqual([...here, 'discovering', 'challengeSent']);
      expect(flow.sent.link).toEqual([
        wanted,
        requested(),
        wanted,
        requested({ ttl: stage === 'queued' ? 8_750 : 6_750 }),
      ]);
    });

    it('the request goes to no other phone, and for no other identity', () => {
      const flow = begin();
      flow.phone('link.lost');
      flow.phone('link.up', { phone: otherPhone, identities: [work, home] });
      flow.phone('link.lost');
      flow.phone('link.up', { phone: iphone, identities: [home] });
      expect(flow.states()).toEqual([...here, 'discovering']);
      expect(flow.sent.link).toEqual([wanted, requested(), wanted]);
    });

    it('a link that does not come back within the clock is told by its own words', () => {
      const flow = begin();
      flow.phone('link.lost');
      flow.wait(9_999);
      expect(flow.states()).toEqual([...here, 'discovering']);
      flow.wait(1);
      expect(flow.states()).toEqual([...here, 'discovering', 'timedOut']);
      expect(flow.sent.link).toEqual([wanted, requested(), wanted]);
      expect(flow.words()).toEqual(words.linkLost);
    });

    it('after a drop, a search that finds nothing does not end the waiting', () => {
      const flow = begin();
      flow.phone('link.lost');
      flow.phone('link.nothingFound');
      expect(flow.states()).toEqual([...here, 'discovering']);
      flow.phone('link.up', { phone: iphone, identities: [work] });
      expect(flow.states()).toEqual([...here, 'discovering', 'challengeSent']);
    });

    it('after a drop, a stranger’s phone does not end the waiting', () => {
      const flow = begin();
      flow.phone('link.lost');
      flow.phone('link.unusable', { reason: 'unknownPhone' });
      expect(flow.states()).toEqual([...here, 'discovering']);
      flow.phone('link.up', { phone: iphone, identities: [work] });
      expect(flow.states()).toEqual([...here, 'discovering', 'challengeSent']);
    });

    it('a phone that forgot this headset meanwhile ends the waiting', () => {
      const flow = begin();
      flow.phone('link.lost');
      flow.phone('link.unusable', { reason: 'phoneForgotHeadset' });
      expect(flow.states()).toEqual([...here, 'discovering', 'failed']);
      expect(flow.words()).toEqual([
        'No iPhone signer found.',
        'The phone answered but no longer knows this headset. Run "signer pair" on the phone and "vmux pair" here.',
      ]);
    });
  });

  it('the signature comes after the sheet was shown', () => {
    const flow = sent();
    flow.phone('signer.presented', ours);
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    expect(flow.states()).toEqual([...path, 'awaitingFaceId', 'signed']);
    expect(flow.sent.link).toEqual([wanted, requested()]);
  });

  it('the signature of a request sent again may come at once, since the phone remembers it', () => {
    const flow = sent();
    flow.phone('link.lost');
    flow.phone('link.up', { phone: iphone, identities: [work] });
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    expect(flow.states()).toEqual([...path, 'discovering', 'challengeSent', 'signed']);
    expect(flow.sent.link).toEqual([wanted, requested(), wanted, requested()]);
  });

  it('a signature for a queued request, which nobody saw, is not taken', () => {
    const flow = sent();
    flow.phone('signer.queued', ours);
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    expect(flow.states()).toEqual([...path, 'queued']);
  });

  it('the phone is asleep until its person opens it', () => {
    const flow = sent();
    flow.phone('signer.unseen', ours);
    flow.wait(5_000);
    flow.phone('signer.presented', ours);
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    expect(flow.states()).toEqual([...path, 'phoneAsleep', 'awaitingFaceId', 'signed']);
  });

  it('the phone stays asleep: the same ten seconds, and the same words', () => {
    const flow = sent();
    flow.wait(2_000);
    flow.phone('signer.unseen', ours);
    // Nobody saw it, so nobody can have approved it.
    flow.phone('signer.signed', { ...ours, signatureHash: 'signature-1' });
    flow.wait(7_999);
    expect(flow.states()).toEqual([...path, 'phoneAsleep']);
    flow.wait(1);
    expect(flow.states()).toEqual([...path, 'phoneAsleep', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.words()).toEqual(words.notPresented);
  });

  it('queued, and then up where nobody looks: the ten seconds begin there', () => {
    const flow = sent();
    flow.phone('signer.queued', ours);
    flow.wait(30_000);
    flow.phone('signer.unseen', ours);
    expect(flow.context().deadline).toBe(40_000);
    flow.wait(10_000);
    expect(flow.states()).toEqual([...path, 'queued', 'phoneAsleep', 'timedOut']);
    expect(flow.words()).toEqual(words.notPresented);
  });

  it('Face ID prompt never appears on iPhone: the request is withdrawn after ten seconds', () => {
    const flow = sent();
    flow.wait(9_999);
    expect(flow.states()).toEqual(path);
    flow.wait(1);
    expect(flow.states()).toEqual([...path, 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.words()).toEqual(words.notPresented);
  });

  it('If you do not approve within ten seconds, the request is withdrawn', () => {
    const flow = sent();
    flow.phone('signer.presented', ours);
    flow.wait(9_999);
    expect(flow.states()).toEqual([...path, 'awaitingFaceId']);
    flow.wait(1);
    expect(flow.states()).toEqual([...path, 'awaitingFaceId', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.words()).toEqual(words.notApproved);
  });

  it('queued behind another sheet, the ten seconds rest and then begin afresh', () => {
    const flow = sent();
    flow.wait(5_000);
    flow.phone('signer.queued', ours);
    flow.wait(59_999);
    expect(flow.states()).toEqual([...path, 'queued']);
    flow.phone('signer.presented', ours);
    expect(flow.context().deadline).toBe(74_999);
    flow.wait(9_999);
    expect(flow.states()).toEqual([...path, 'queued', 'awaitingFaceId']);
    flow.wait(1);
    expect(flow.states()).toEqual([...path, 'queued', 'awaitingFaceId', 'timedOut']);
    expect(flow.words()).toEqual(words.notApproved);
  });

  it('queued behind another sheet for sixty seconds, it gives up and withdraws', () => {
    const flow = sent();
    flow.wait(5_000);
    flow.phone('signer.queued', ours);
    expect(flow.context().deadline).toBe(65_000);
    flow.wait(60_000);
    expect(flow.states()).toEqual([...path, 'queued', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted, requested(), withdrawn]);
    expect(flow.words()).toEqual(words.queuedTooLong);
  });

  it('a phone that is linked but offers no identity is told from one that never linked', () => {
    const flow = looking();
    flow.phone('link.up', { phone: iphone, identities: [] });
    flow.wait(10_000);
    expect(flow.states().slice(-2)).toEqual(['discovering', 'timedOut']);
    expect(flow.sent.link).toEqual([wanted]);
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'The phone is reachable but offers no identity. Enable or create one there (signer identity list), then retry.',
    ]);
  });

  it('a phone that was seen but never linked is told from one that is not there', () => {
    const flow = looking();
    flow.wait(9_999);
    expect(flow.states().at(-1)).toBe('discovering');
    flow.wait(1);
    expect(flow.states().slice(-2)).toEqual(['discovering', 'timedOut']);
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'The phone was seen but could not be reached. Check that both devices are on the same network, reopen the signer, then retry.',
    ]);
  });

  it('a phone that is not there is told at once', () => {
    const flow = looking();
    flow.wait(1_500);
    flow.phone('link.nothingFound');
    expect(flow.states().slice(-2)).toEqual(['discovering', 'failed']);
    expect(flow.words()).toEqual([
      'No iPhone signer found.',
      'Nothing answered on this network. Open the signer on the phone (signer start), keep it in the foreground, then retry.',
    ]);
  });

  it.each([
    [
      'noPhonePaired',
      'No phone is paired with this headset. Run "signer pair" on the phone and "vmux pair" here.',
    ],
    [
      'unknownPhone',
      'A phone answered, but not one that is paired with this headset: yours was wiped, or it is somebody else’s. If it is yours, run "signer pair" there and "vmux pair" here.',
    ],
    ['updateVmux', 'The phone speaks a newer protocol. Update vmux.'],
    ['updateSigner', 'The phone speaks an older protocol. Update signer on the phone.'],
  ] as const)('what no waiting cures ends the waiting: %s', (reason, hint) => {
    const flow = looking();
    flow.phone('link.unusable', { reason });
    expect(flow.states().slice(-2)).toEqual(['discovering', 'failed']);
    expect(flow.words()).toEqual(['No iPhone signer found.', hint]);
  });
}
