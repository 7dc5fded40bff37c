/** The phone: found, linked, one sheet at a time, Face ID, signing. */
import { describe, expect, it } from 'vitest';
import {
  accepts,
  advertises,
  answers,
  closes,
  denies,
  disabled,
  enabled,
  first,
  phone,
  presents,
  request,
  retries,
  shows,
  untilAsked,
  untilDeciding,
  untilSigning,
  untilVerifying,
  verifies,
} from '../support/story-signer.ts';

const toSettling = ['advertising', 'idle', 'settling'];
const toDeciding = [...toSettling, 'deciding'];
const toVerifying = [...toDeciding, 'verifyingUser'];
const toSigning = [...toVerifying, 'signing'];

const advertised = advertises('work', 'home');

describe('the phone in the foreground', () => {
  it('is published, listens, and advertises every enabled identity', () => {
    const story = phone({ identities: [enabled('work'), disabled('old'), enabled('home')] });
    story.advertiser.next({ type: 'advertiser.published', instance: 'random-1' });
    expect(story.states()).toEqual(['advertising']);
    expect(story.advertised).toEqual([{ serviceType: '_vmux-signer._tcp', port: 4_022 }]);
    expect(story.context().instance).toBe('random-1');
    expect(story.sent).toEqual({ listener: [advertised], sheet: [], pins: [] });
  });

  it('shows nothing while nobody is linked', () => {
    const story = phone();
    story.asks(first);
    expect(story.states()).toEqual(['advertising']);
    expect(story.sent).toEqual({ listener: [advertised], sheet: [], pins: [] });
  });

  it('can still be dialled where there is no multicast', () => {
    const story = phone();
    story.advertiser.error(new Error('no multicast here'));
    story.linked('link-1', 'headset-1');
    expect(story.states()).toEqual(['advertising', 'idle']);
  });

  it('tells its headsets at once when an identity is enabled or disabled', () => {
    const story = phone();
    story.settings({ identities: [enabled('work'), disabled('home')] });
    expect(story.sent.listener).toEqual([advertised, advertises('work')]);
    story.linked('link-1', 'headset-1');
    story.settings({ identities: [disabled('work'), enabled('home')] });
    expect(story.states()).toEqual(['advertising', 'idle']);
    expect(story.sent).toEqual({
      listener: [advertised, advertises('work'), advertises('home')],
      sheet: [],
      pins: [],
    });
  });
});

describe('when backgrounded', () => {
  it('the phone drops its links and their requests, and asks afresh when it wakes', async () => {
    const story = untilVerifying();
    story.advertiser.next({ type: 'advertiser.published', instance: 'random-1' });
    story.send({ type: 'phone.suspended' });
    expect(story.states()).toEqual([...toVerifying, 'asleep']);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      verifies(first),
      closes(first, 'withdrawn'),
    ]);
    expect(story.ports.listener.running()).toBe(0);
    expect(story.ports.sheet.running()).toBe(0);
    expect(story.context()).toMatchObject({ links: [], queue: [], instance: null });

    story.send({ type: 'phone.resumed' });
    await story.biometrics.resolve({ verdict: 'verified' });
    story.wait(120_000);
    expect(story.states()).toEqual([...toVerifying, 'asleep', 'advertising']);
    expect(story.sent.listener).toEqual([advertised, presents(first), advertised]);
    expect(story.keys.inputs).toEqual([]);
  });

  it('nothing wakes it but its person', () => {
    const story = phone();
    story.send({ type: 'phone.suspended' });
    story.linked('link-1', 'headset-1');
    story.asks(first);
    expect(story.states()).toEqual(['advertising', 'asleep']);
    expect(story.sent).toEqual({ listener: [advertised], sheet: [], pins: [] });
  });

  it('identities changed meanwhile are advertised when it wakes', () => {
    const story = phone();
    story.send({ type: 'phone.suspended' });
    story.settings({ identities: [enabled('home')] });
    expect(story.sent.listener).toEqual([advertised]);
    story.send({ type: 'phone.resumed' });
    expect(story.sent.listener).toEqual([advertised, advertises('home')]);
  });

  it('a phone whose listener fails is asleep', () => {
    const story = phone({}, { listener: true });
    expect(story.states()).toEqual(['advertising', 'asleep']);
  });

  it('a phone that cannot show a sheet is asleep', () => {
    const story = phone({}, { sheet: true });
    story.linked('link-1', 'headset-1');
    expect(story.states()).toEqual(['advertising', 'idle', 'asleep']);
    expect(story.ports.listener.running()).toBe(0);
  });

  it('a phone that cannot keep what it learns of hosts is asleep', () => {
    const story = phone({}, { pins: true });
    expect(story.states()).toEqual(['advertising', 'asleep']);
    expect(story.ports.listener.running()).toBe(0);
  });
});

describe('The iPhone shows a sheet describing the request', () => {
  it('source device, destination host, user and key', () => {
    const story = untilAsked();
    expect(story.states()).toEqual(toSettling);
    expect(story.sent).toEqual({
      listener: [advertised, presents(first)],
      sheet: [
        {
          type: 'sheet.show',
          ref: 'headset-1/request-1',
          deviceName: 'Vision Pro',
          host: 'server.example',
          port: 22,
          badge: {
            badge: 'known',
            name: 'server.example',
            since: 1_000,
            isCertified: false,
            fingerprint: 'SHA256:key-of-server.example',
          },
          hops: [],
          user: 'ada',
          label: 'work',
          fingerprint: 'SHA256:work',
          kind: 'hostbound',
          detail: null,
          ttl: 9_000,
          code: '42',
          canPin: false,
          equal: 1,
          waiting: 0,
        },
      ],
      pins: [],
    });
  });

  it('and tells the headset only once it is really on screen', () => {
    const story = phone();
    story.linked('link-1', 'headset-1');
    story.asks(first);
    expect(story.sent.listener).toEqual([advertised]);
    story.shown('headset-1/request-0');
    expect(story.sent.listener).toEqual([advertised]);
    story.shown(first.ref);
    expect(story.sent.listener).toEqual([advertised, presents(first)]);
  });

  it('a fresh sheet accepts nothing for 700 ms: what is typed was meant for another', () => {
    const story = untilAsked();
    story.wait(699);
    story.taps('user.approve', first.ref);
    story.taps('user.deny', first.ref);
    expect(story.states()).toEqual(toSettling);
    expect(story.sent.sheet).toEqual([shows(first)]);
    story.wait(1);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first)]);
    expect(story.biometrics.inputs).toEqual([]);
  });

  it('a program without a person’s fingers may shorten that', () => {
    const story = untilAsked(phone({ settle: 5 }));
    story.wait(4);
    expect(story.states()).toEqual(toSettling);
    story.wait(1);
    expect(story.states()).toEqual(toDeciding);
  });

  it('what was meant for another request is not taken for this one', () => {
    const story = untilDeciding();
    story.taps('user.approve', 'headset-1/request-0');
    story.taps('user.deny', 'headset-1/request-0');
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([advertised, presents(first)]);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first)]);
  });

  it('and takes it away when nobody answers in time', () => {
    const story = untilDeciding();
    story.wait(8_299);
    expect(story.states()).toEqual(toDeciding);
    story.wait(1);
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.sent.listener).toEqual([
      advertised,
      presents(first),
      answers(first, { outcome: 'expired' }),
    ]);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first), closes(first, 'expired')]);
    story.taps('user.approve', first.ref);
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.biometrics.inputs).toEqual([]);
  });

  it('never for longer than two minutes, whatever the headset says', () => {
    const story = phone();
    story.linked('link-1', 'headset-1');
    const long = request({ ttl: 3_600_000 });
    story.asks(long);
    expect(story.sent.sheet).toEqual([shows(long, { ttl: 120_000 })]);
    story.wait(119_999);
    expect(story.states()).toEqual(toDeciding);
    story.wait(1);
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(answers(long, { outcome: 'expired' }));
  });
});

describe('You approve with Face ID', () => {
  it('and the iPhone signs the challenge of exactly this request', async () => {
    const story = await untilSigning();
    expect(story.states()).toEqual(toSigning);
    expect(story.biometrics.inputs).toEqual([{ ref: first.ref, fingerprint: 'SHA256:work' }]);
    expect(story.keys.inputs).toEqual([
      { ref: first.ref, fingerprint: 'SHA256:work', challengeHash: 'hash-1' },
    ]);
    await story.keys.resolve({ signatureHash: 'signature-1' });

    expect(story.states()).toEqual([...toSigning, 'idle']);
    expect(story.sent.listener).toEqual([
      advertised,
      presents(first),
      answers(first, { outcome: 'signed' }),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      verifies(first),
      closes(first, 'signed'),
    ]);
    story.wait(120_000);
    expect(story.sent.listener).toHaveLength(3);
  });

  it('there is no silent auto-approve: the next request asks again', async () => {
    const story = await untilSigning();
    await story.keys.resolve({ signatureHash: 'signature-1' });
    story.asks(request({ ref: 'headset-1/request-2' }));
    story.wait(700);
    expect(story.states()).toEqual([...toSigning, 'idle', 'settling', 'deciding']);
    expect(story.biometrics.inputs).toHaveLength(1);
    expect(story.keys.inputs).toHaveLength(1);
  });

  it('a wrong passphrase may be typed again', async () => {
    const story = untilVerifying();
    await story.biometrics.resolve({ verdict: 'refused' });
    expect(story.states()).toEqual([...toVerifying, 'deciding']);
    expect(story.sent.sheet.slice(3)).toEqual([retries(first, 2), accepts(first)]);
    story.taps('user.approve', first.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    expect(story.states()).toEqual([...toVerifying, 'deciding', 'verifyingUser', 'signing']);
  });

  it('three wrong passphrases deny', async () => {
    const story = untilVerifying();
    await story.biometrics.resolve({ verdict: 'refused' });
    story.taps('user.approve', first.ref);
    await story.biometrics.resolve({ verdict: 'refused' });
    story.taps('user.approve', first.ref);
    await story.biometrics.resolve({ verdict: 'refused' });

    expect(story.states()).toEqual([
      ...toVerifying,
      'deciding',
      'verifyingUser',
      'deciding',
      'verifyingUser',
      'idle',
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      verifies(first),
      retries(first, 2),
      accepts(first),
      verifies(first),
      retries(first, 1),
      accepts(first),
      verifies(first),
      closes(first, 'denied'),
    ]);
    expect(story.sent.listener).toEqual([
      advertised,
      presents(first),
      answers(first, { outcome: 'denied', why: 'wrongPassphrase' }),
    ]);
    expect(story.keys.inputs).toEqual([]);
  });

  it('each request has its own three tries', async () => {
    const story = untilVerifying();
    await story.biometrics.resolve({ verdict: 'refused' });
    story.taps('user.deny', first.ref);
    const next = request({ ref: 'headset-1/request-2' });
    story.asks(next);
    story.wait(700);
    story.taps('user.approve', next.ref);
    await story.biometrics.resolve({ verdict: 'refused' });
    expect(story.sent.sheet.at(-2)).toEqual(retries(next, 2));
  });

  it('a person can still deny while they are being verified', async () => {
    const story = untilVerifying();
    story.taps('user.deny', first.ref);
    expect(story.states()).toEqual([...toVerifying, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(denies(first));
    expect(story.sent.sheet.at(-1)).toEqual(closes(first, 'denied'));
    await story.biometrics.resolve({ verdict: 'verified' });
    expect(story.keys.inputs).toEqual([]);
  });

  it('an owner who cannot be verified signs nothing', async () => {
    const story = untilVerifying();
    await story.biometrics.reject();
    expect(story.states()).toEqual([...toVerifying, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(
      answers(first, { outcome: 'failed', reason: 'verificationUnavailable' }),
    );
    expect(story.sent.sheet.at(-1)).toEqual(closes(first, 'failed'));
    expect(story.keys.inputs).toEqual([]);
  });

  it('a key that cannot sign is told', async () => {
    const story = await untilSigning();
    await story.keys.reject();
    expect(story.states()).toEqual([...toSigning, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(
      answers(first, { outcome: 'failed', reason: 'signingFailed' }),
    );
    expect(story.sent.sheet.at(-1)).toEqual(closes(first, 'failed'));
  });

  it('a verification that comes after the sheet expired signs nothing', async () => {
    const story = untilVerifying();
    story.wait(8_300);
    await story.biometrics.resolve({ verdict: 'verified' });
    expect(story.states()).toEqual([...toVerifying, 'idle']);
    expect(story.keys.inputs).toEqual([]);
    expect(story.sent.listener).toEqual([
      advertised,
      presents(first),
      answers(first, { outcome: 'expired' }),
    ]);
  });
});

describe('You tap "Deny"', () => {
  it('and the headset is told, nothing is signed, nothing is asked again', () => {
    const story = untilDeciding();
    story.taps('user.deny', first.ref);
    story.taps('user.approve', first.ref);
    story.wait(120_000);
    expect(story.states()).toEqual([...toDeciding, 'idle']);
    expect(story.sent.listener).toEqual([
      advertised,
      presents(first),
      answers(first, { outcome: 'denied', why: 'denied' }),
    ]);
    expect(story.sent.sheet).toEqual([shows(first), accepts(first), closes(first, 'denied')]);
    expect(story.biometrics.inputs).toEqual([]);
    expect(story.keys.inputs).toEqual([]);
  });
});

describe('forged events', () => {
  it('approve nothing while no sheet is shown', () => {
    const story = phone();
    story.taps('user.approve', first.ref);
    story.linked('link-1', 'headset-1');
    story.taps('user.approve', first.ref);
    story.shown(first.ref);
    story.forge({ type: 'user.approve' });
    expect(story.states()).toEqual(['advertising', 'idle']);
    expect(story.sent).toEqual({ listener: [advertised], sheet: [], pins: [] });
  });

  it('approve nothing without the name of a request', () => {
    const story = untilDeciding();
    story.forge({ type: 'user.approve' });
    story.forge({ type: 'signer.signed', requestId: 'request-1' });
    story.forge({ type: 'keys.signed', ref: first.ref });
    expect(story.states()).toEqual(toDeciding);
  });
});
