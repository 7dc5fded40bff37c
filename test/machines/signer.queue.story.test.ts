/** The phone with several requests, links and headsets: one sheet at a time, each answer home. */
import { describe, expect, it } from 'vitest';
import {
  accepts,
  advertises,
  answers,
  closes,
  counts,
  disabled,
  enabled,
  first,
  foreign,
  phone,
  presents,
  queues,
  refuses,
  request,
  second,
  shows,
  tellsRefused,
  untilAsked,
  untilDeciding,
  untilSigning,
  untilVerifying,
  verifies,
} from '../support/story-signer.ts';

const toDeciding = ['advertising', 'idle', 'settling', 'deciding'];
const toVerifying = [...toDeciding, 'verifyingUser'];
const toSigning = [...toVerifying, 'signing'];

const advertised = advertises('work', 'home');
const begun = [advertised, presents(first)];

/** A request that was shown after waiting has its own time on screen. */
const afterWaiting = { ttl: 8_000 };

describe('one sheet at a time', () => {
  it('a second request waits, its headset is told, and it is shown when the first is done', () => {
    const story = untilDeciding();
    story.asks(second);
    story.asks(foreign);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([...begun, queues(second), queues(foreign)]);
    const begin = [shows(first), accepts(first), counts(first, 1, 1), counts(first, 1, 2)];
    expect(story.sent.sheet).toEqual(begin);

    story.taps('user.deny', first.ref);

    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    expect(story.sent.sheet).toEqual([
      ...begin,
      closes(first, 'denied'),
      shows(foreign, { ...afterWaiting, waiting: 1 }),
    ]);
    story.shown(foreign.ref);
    expect(story.sent.listener.at(-1)).toEqual(presents(foreign));
  });

  it('each answer goes to its own link, with two headsets at once', async () => {
    const story = await untilSigning();
    story.asks(foreign);
    await story.keys.resolve({ signatureHash: 'signature-1' });
    story.shown(foreign.ref);
    story.wait(700);
    story.taps('user.deny', foreign.ref);

    expect(story.states()).toEqual([...toSigning, 'idle', 'settling', 'deciding', 'idle']);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(foreign),
      answers(first, { outcome: 'signed' }),
      presents(foreign),
      answers(foreign, { outcome: 'denied', why: 'denied' }),
    ]);
    expect(answers(first, { outcome: 'signed' })).toMatchObject({ linkId: 'link-1' });
    expect(answers(foreign, { outcome: 'signed' })).toMatchObject({ linkId: 'link-2' });
  });

  it('a waiting request expires where it stands', () => {
    const story = untilAsked();
    const impatient = request({ ...second, queueTtl: 3_000 });
    story.asks(impatient);
    story.wait(2_999);
    expect(story.refs()).toEqual([first.ref, impatient.ref]);
    story.wait(1);
    expect(story.refs()).toEqual([first.ref]);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(impatient),
      answers(impatient, { outcome: 'expired' }),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      counts(first, 1, 1),
      accepts(first),
      closes(impatient, 'expired'),
      counts(first, 1, 0),
    ]);
  });

  it('time in the queue does not count against the sheet', () => {
    const story = untilAsked();
    story.asks(second);
    story.wait(9_000);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    story.wait(7_999);
    expect(story.refs()).toEqual([second.ref]);
    story.wait(1);
    expect(story.refs()).toEqual([]);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling', 'deciding', 'idle']);
    story.wait(120_000);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(second),
      answers(first, { outcome: 'expired' }),
      answers(second, { outcome: 'expired' }),
    ]);
  });

  it('no request waits, or is shown after waiting, for longer than two minutes', () => {
    const story = phone();
    story.linked('link-1', 'headset-1');
    const long = { ttl: 500_000, queueTtl: 500_000, sheetTtl: 500_000 };
    const now = request(long);
    const waiting = request({ ...second, ...long });
    const last = request({ ref: 'headset-1/request-3', user: 'root', ...long });
    story.asks(now);
    story.asks(waiting);
    story.asks(last);
    story.wait(1_000);
    story.taps('user.deny', now.ref);
    expect(story.sent.sheet.at(-1)).toEqual(shows(waiting, { ttl: 120_000, waiting: 1 }));

    story.wait(118_999);
    expect(story.refs()).toEqual([waiting.ref, last.ref]);
    story.wait(1);
    expect(story.refs()).toEqual([waiting.ref]);
    story.wait(1_000);
    expect(story.refs()).toEqual([]);
    expect(story.sent.listener.slice(-2)).toEqual([
      answers(last, { outcome: 'expired' }),
      answers(waiting, { outcome: 'expired' }),
    ]);
  });

  it('at most twenty-four requests of one headset are held, the one on the sheet included', () => {
    const story = untilDeciding();
    const many = Array.from({ length: 24 }, (_, i) => request({ ref: `headset-1/more-${i + 1}` }));
    for (const asked of many) story.asks(asked);
    const last = many.at(-1) ?? first;
    expect(story.context().queue).toHaveLength(24);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener.slice(-2)).toEqual([
      queues(many.at(-2) ?? first),
      refuses(last, 'phoneBusy'),
    ]);
    expect(story.sent.sheet.slice(-2)).toEqual([
      counts(first, 24, 0),
      tellsRefused(last, 'phoneBusy'),
    ]);
    story.asks(foreign);
    expect(story.sent.listener.at(-1)).toEqual(queues(foreign));
  });

  it('at most ninety-six requests are held in all', () => {
    const story = untilDeciding();
    const many = Array.from({ length: 96 }, (_, i) => {
      const deviceId = `headset-${(i % 4) + 2}`;
      return request({ ref: `${deviceId}/more-${i}`, deviceId });
    });
    for (const asked of many) story.asks(asked);
    expect(story.context().queue).toHaveLength(96);
    expect(story.sent.listener.slice(-2)).toEqual([
      queues(many.at(-2) ?? first),
      refuses(many.at(-1) ?? first, 'phoneBusy'),
    ]);
  });
});

describe('a request that is withdrawn', () => {
  it('takes its sheet away, and its approval cannot reach the next', async () => {
    const story = untilDeciding();
    story.asks(foreign);
    story.send({ type: 'request.withdrawn', ref: first.ref });
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    story.wait(700);
    story.taps('user.approve', first.ref);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling', 'deciding']);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(foreign),
      answers(first, { outcome: 'withdrawn' }),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      counts(first, 1, 1),
      closes(first, 'withdrawn'),
      shows(foreign, afterWaiting),
      accepts(foreign),
    ]);
    expect(story.biometrics.inputs).toEqual([]);
  });

  it('while its person is being verified leaves that verification in vain', async () => {
    const story = untilVerifying();
    story.asks(foreign);
    story.send({ type: 'request.withdrawn', ref: first.ref });
    story.wait(700);
    story.taps('user.approve', foreign.ref);
    await story.biometrics.resolve({ verdict: 'verified' }, 0);
    expect(story.states()).toEqual([
      ...toVerifying,
      'idle',
      'settling',
      'deciding',
      'verifyingUser',
    ]);
    expect(story.keys.inputs).toEqual([]);

    await story.biometrics.resolve({ verdict: 'verified' }, 1);
    expect(story.keys.inputs).toEqual([
      { ref: foreign.ref, fingerprint: 'SHA256:work', challengeHash: 'hash-3' },
    ]);
  });

  it('while it is being signed is not answered with the signature', async () => {
    const story = await untilSigning();
    story.send({ type: 'request.withdrawn', ref: first.ref });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.states()).toEqual([...toSigning, 'idle']);
    expect(story.sent.listener).toEqual([...begun, answers(first, { outcome: 'withdrawn' })]);
  });

  it('while it waits leaves the sheet alone', () => {
    const story = untilDeciding();
    story.asks(second);
    story.send({ type: 'request.withdrawn', ref: second.ref });
    story.wait(1_000);
    expect(story.states()).toEqual(toDeciding);
    expect(story.refs()).toEqual([first.ref]);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(second),
      answers(second, { outcome: 'withdrawn' }),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      counts(first, 1, 1),
      closes(second, 'withdrawn'),
      counts(first, 1, 0),
    ]);
  });

  it('that nobody holds is nothing', () => {
    const story = untilDeciding();
    story.send({ type: 'request.withdrawn', ref: 'headset-1/request-0' });
    story.send({ type: 'request.expired', ref: 'headset-1/request-0' });
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual(begun);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first)]);
  });
});

describe('a link that drops', () => {
  it('takes the sheet of its request away', async () => {
    const story = untilVerifying();
    story.asks(second);
    story.asks(foreign);
    story.unlinked('link-1');
    await story.biometrics.resolve({ verdict: 'verified' });

    expect(story.states()).toEqual([...toVerifying, 'idle', 'settling']);
    expect(story.refs()).toEqual([foreign.ref]);
    expect(story.sent.listener).toEqual([...begun, queues(second), queues(foreign)]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      verifies(first),
      counts(first, 1, 1),
      counts(first, 1, 2),
      closes(first, 'withdrawn'),
      closes(second, 'withdrawn'),
      shows(foreign, afterWaiting),
    ]);
    story.wait(120_000);
    expect(story.sent.listener.slice(4)).toEqual([answers(foreign, { outcome: 'expired' })]);
  });

  it('leaves another headset’s sheet alone and takes only its own requests', () => {
    const story = untilDeciding();
    story.asks(foreign);
    story.asks(second);
    story.unlinked('link-2');
    expect(story.states()).toEqual(toDeciding);
    expect(story.refs()).toEqual([first.ref, second.ref]);
    expect(story.context().links).toEqual([{ linkId: 'link-1', deviceId: 'headset-1' }]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      counts(first, 1, 1),
      counts(first, 1, 2),
      closes(foreign, 'withdrawn'),
      counts(first, 1, 1),
    ]);
  });

  it('was the last: the phone is advertising again, and its sheets are gone', () => {
    const story = untilDeciding();
    story.asks(second);
    story.unlinked('link-2');
    expect(story.states()).toEqual(toDeciding);
    story.unlinked('link-1');
    expect(story.states()).toEqual([...toDeciding, 'advertising']);
    expect(story.context().links).toEqual([]);
    expect(story.refs()).toEqual([]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      counts(first, 1, 1),
      closes(first, 'withdrawn'),
      closes(second, 'withdrawn'),
    ]);
    expect(story.ports.sheet.running()).toBe(0);
    expect(story.ports.listener.running()).toBe(1);
    story.wait(120_000);
    expect(story.sent.listener).toEqual([...begun, queues(second)]);
  });

  it('that was never open changes nothing', () => {
    const story = untilDeciding();
    story.unlinked('link-0');
    expect(story.states()).toEqual(toDeciding);
    expect(story.refs()).toEqual([first.ref]);
  });
});

describe('the same request over a new link', () => {
  const again = request({ linkId: 'link-3' });

  it('finds its sheet still shown, is told so, and is answered there', () => {
    const story = untilDeciding();
    story.linked('link-3', 'headset-1');
    story.asks(again);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([...begun, presents(again)]);
    story.unlinked('link-1');
    expect(story.states()).toEqual(toDeciding);
    story.taps('user.deny', first.ref);
    expect(story.sent.listener.slice(3)).toEqual([
      answers(again, { outcome: 'denied', why: 'denied' }),
    ]);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first), closes(first, 'denied')]);
  });

  it('finds its sheet up where nobody looks, is told so, and hears when somebody does', () => {
    const story = phone();
    story.linked('link-1', 'headset-1');
    story.asks(first);
    story.unseen(first.ref);
    story.linked('link-3', 'headset-1');
    story.asks(again);
    story.unlinked('link-1');
    story.shown(first.ref);
    const { ref } = first;
    expect(story.sent.listener).toEqual([
      advertised,
      { type: 'listener.unseen', ref, linkId: 'link-1' },
      { type: 'listener.unseen', ref, linkId: 'link-3' },
      { type: 'listener.presented', ref, linkId: 'link-3' },
    ]);
  });

  it('finds itself still waiting, and is told so', () => {
    const story = untilDeciding();
    story.asks(second);
    story.linked('link-3', 'headset-1');
    const moved = request({ ...second, linkId: 'link-3' });
    story.asks(moved);
    expect(story.refs()).toEqual([first.ref, second.ref]);
    expect(story.sent.listener).toEqual([...begun, queues(second), queues(moved)]);
  });
});

describe('the phone refuses before a sheet', () => {
  it.each([
    [
      'an identity that it does not hold',
      request({ fingerprint: 'SHA256:lost' }),
      'identityUnknown',
    ],
    ['an identity that is disabled', request({ fingerprint: 'SHA256:old' }), 'identityDisabled'],
  ] as const)('%s', (_, asked, reason) => {
    const story = phone({ identities: [enabled('work'), disabled('old')] });
    story.linked('link-1', 'headset-1');
    story.asks(asked);
    expect(story.states()).toEqual(['advertising', 'idle']);
    expect(story.sent).toEqual({
      listener: [advertises('work'), refuses(asked, reason)],
      sheet: [tellsRefused(asked, reason)],
      pins: [],
    });
  });

  it.each(['requestUnreadable', 'requestMismatch', 'requestIdReused', 'proofInvalid'] as const)(
    'what it cannot read as what it claims to be: %s',
    (reason) => {
      const story = phone();
      story.linked('link-1', 'headset-1');
      const { ref, linkId, deviceName, host, user } = first;
      const claimed = { ref, linkId, deviceName, host, user };
      story.send({ type: 'request.unreadable', ...claimed, reason });
      expect(story.states()).toEqual(['advertising', 'idle']);
      expect(story.sent).toEqual({
        listener: [advertised, refuses(first, reason)],
        sheet: [{ ...tellsRefused(first, reason), kind: null }],
        pins: [],
      });
    },
  );
});

describe('disabling an identity', () => {
  const bothDisabled = [disabled('work'), disabled('home')];

  it('refuses the request on the sheet, even while it is being signed', async () => {
    const story = await untilSigning();
    story.settings({ identities: [disabled('work'), enabled('home')] });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.states()).toEqual([...toSigning, 'idle']);
    expect(story.sent.listener).toEqual([
      ...begun,
      advertises('home'),
      answers(first, { outcome: 'failed', reason: 'identityDisabled' }),
    ]);
    expect(story.sent.sheet.at(-1)).toEqual(closes(first, 'failed'));
  });

  it('refuses the requests that wait for it and leaves the sheet of another', () => {
    const story = phone();
    story.linked('link-1', 'headset-1');
    const forHome = request({ fingerprint: 'SHA256:home' });
    story.asks(forHome);
    story.asks(second);
    story.wait(700);
    story.settings({ identities: [disabled('work'), enabled('home')] });
    expect(story.states()).toEqual(toDeciding);
    expect(story.refs()).toEqual([forHome.ref]);
    expect(story.sent.listener).toEqual([
      advertised,
      queues(second),
      advertises('home'),
      answers(second, { outcome: 'failed', reason: 'identityDisabled' }),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(forHome, { label: 'home' }),
      counts(forHome, 1, 1),
      accepts(forHome),
      closes(second, 'failed'),
      counts(forHome, 1, 0),
    ]);
    story.wait(60_000);
    expect(story.sent.listener.slice(4)).toEqual([answers(forHome, { outcome: 'expired' })]);
  });

  it('refuses everything that waits when all are disabled', () => {
    const story = untilDeciding();
    story.asks(foreign);
    story.settings({ identities: bothDisabled });
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.refs()).toEqual([]);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(foreign),
      advertises(),
      answers(first, { outcome: 'failed', reason: 'identityDisabled' }),
      answers(foreign, { outcome: 'failed', reason: 'identityDisabled' }),
    ]);
  });

  it('removing it refuses too', () => {
    const story = untilDeciding();
    story.settings({ identities: [enabled('home')] });
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(
      answers(first, { outcome: 'failed', reason: 'identityDisabled' }),
    );
  });

  it('of another leaves every request alone', () => {
    const story = untilDeciding();
    story.settings({ identities: [enabled('work'), disabled('home')] });
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([...begun, advertises('work')]);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first)]);
  });
});
