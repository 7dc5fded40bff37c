/** The phone in a storm of requests: equal ones, each device's turn, mutes and cool-downs. */
import { describe, expect, it } from 'vitest';
import type { SignRequest } from '../../machines/phone/ports.ts';
import {
  accepts,
  advertises,
  answers,
  asksCode,
  asNewHost,
  boundTo,
  closes,
  counts,
  denies,
  first,
  foreign,
  hop,
  hostKey,
  phone,
  pinned,
  presents,
  queues,
  refuses,
  request,
  saysWrongCode,
  second,
  shows,
  tellsRefused,
  toNewHost,
  untilAsked,
  untilDeciding,
  untilMatching,
  untilSigning,
  untilVerifying,
  type PhoneStory,
} from '../support/story-signer.ts';

const toSettling = ['advertising', 'idle', 'settling'];
const toDeciding = [...toSettling, 'deciding'];

const advertised = advertises('work', 'home');
const begun = [advertised, presents(first)];
const afterWaiting = { ttl: 8_000 };

const expires = (asked: SignRequest) => answers(asked, { outcome: 'expired' });

/** One more of that device, to be told from all others by its user. */
const more = (n: number, device = 1, fields: Partial<SignRequest> = {}) =>
  request({
    ref: `headset-${device}/more-${n}`,
    deviceId: `headset-${device}`,
    linkId: `link-${device}`,
    user: `user-${n}`,
    ...fields,
  });

const through = (proven: boolean) =>
  boundTo('server.example', { hops: [hop('other.example', proven)] });

describe('requests that a person cannot tell apart', () => {
  const [one, two, three] = [
    toNewHost,
    request({ ...toNewHost, ref: 'headset-1/equal-2', code: '17', challengeHash: 'hash-17' }),
    request({ ...toNewHost, ref: 'headset-1/equal-3', code: '03', challengeHash: 'hash-03' }),
  ];

  /** All three are there, and the person can type the code of the first. */
  function untilThree(): PhoneStory {
    const story = untilMatching(phone(), one);
    story.asks(two);
    story.asks(three);
    return story;
  }

  it('are one row that counts them', () => {
    const story = untilThree();
    expect(story.sent.sheet).toEqual([
      shows(one, asNewHost),
      asksCode(one),
      counts(one, 2, 0),
      counts(one, 3, 0),
    ]);
    story.send({ type: 'request.withdrawn', ref: two.ref });
    expect(story.sent.sheet.slice(4)).toEqual([closes(two, 'withdrawn'), counts(one, 2, 0)]);
  });

  it('are denied together, with one close of the sheet', () => {
    const story = untilThree();
    story.asks(foreign);
    story.taps('user.deny', one.ref);
    expect(story.refs()).toEqual([foreign.ref]);
    expect(story.sent.listener.slice(2)).toEqual([
      queues(two),
      queues(three),
      queues(foreign),
      denies(one),
      denies(two),
      denies(three),
    ]);
    expect(story.sent.sheet.slice(4)).toEqual([
      counts(one, 3, 1),
      closes(one, 'denied'),
      shows(foreign, afterWaiting),
    ]);
    story.wait(120_000);
    expect(story.sent.listener.slice(8)).toEqual([expires(foreign)]);
  });

  it('are denied together once the code was typed, too', () => {
    const story = untilThree();
    story.types(one.ref, '42');
    story.taps('user.deny', one.ref);
    expect(story.states().at(-1)).toBe('idle');
    expect(story.sent.listener.slice(4)).toEqual([denies(one), denies(two), denies(three)]);
  });

  it('are approved one by one, each by its own code and its own verification', async () => {
    const story = untilThree();
    story.types(one.ref, '42');
    story.taps('user.approve', one.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.refs()).toEqual([two.ref, three.ref]);
    expect(story.sent.sheet.at(-1)).toEqual(
      shows(two, { ...asNewHost, ...afterWaiting, equal: 2 }),
    );

    story.wait(700);
    story.taps('user.approve', two.ref);
    story.types(two.ref, '42');
    expect(story.states().at(-1)).toBe('matching');
    expect(story.sent.sheet.at(-1)).toEqual(saysWrongCode(two, 2));
    story.types(two.ref, '17');
    story.taps('user.approve', two.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-2' });
    expect(story.keys.inputs.map(({ challengeHash }) => challengeHash)).toEqual([
      'hash-4',
      'hash-17',
    ]);
    expect(story.refs()).toEqual([three.ref]);
    expect(story.sent.sheet.at(-1)).toEqual(shows(three, { ...asNewHost, ...afterWaiting }));
  });

  it('may differ in their code, their bytes, their link and their times', () => {
    const story = untilDeciding();
    story.asks(
      request({
        ref: 'headset-1/equal',
        code: '99',
        challengeHash: 'other',
        linkId: 'link-2',
        ttl: 1,
        queueTtl: 2,
        sheetTtl: 3,
      }),
    );
    expect(story.sent.sheet.at(-1)).toEqual(counts(first, 2, 0));
  });

  it.each<[string, Partial<SignRequest>]>([
    ['device', { deviceId: 'headset-2' }],
    ['key', { fingerprint: 'SHA256:home' }],
    ['host', { host: 'SERVER.example' }],
    ['port', { port: 2_222 }],
    ['user', { user: 'root' }],
    ['kind', { kind: 'certificate' }],
    ['detail', { detail: 'CA SHA256:user-ca' }],
    ['forwarding chain', { proof: boundTo('server.example', { hops: [hop('other.example')] }) }],
    ['badge', { host: 'alias', proof: boundTo('server.example') }],
  ])('are equal in their %s', (_, different) => {
    const story = untilDeciding();
    const other = request({ ...different, ref: 'headset-1/other' });
    story.asks(other);
    expect(story.sent.sheet.at(-1)).toEqual(counts(first, 1, 1));
    story.taps('user.deny', first.ref);
    expect(story.refs()).toEqual([other.ref]);
  });

  it('of new hosts are told apart by the keys of these hosts', () => {
    const story = untilMatching();
    story.asks(request({ ...toNewHost, ref: 'headset-1/other', proof: boundTo('far.example') }));
    expect(story.sent.sheet.at(-1)).toEqual(counts(toNewHost, 1, 1));
  });

  it('through forwarded agents are told apart by whether each hop is proven', () => {
    const proven = request({ proof: through(true) });
    const story = untilMatching(phone(), proven);
    story.asks(request({ ref: 'headset-1/other', proof: through(false) }));
    expect(story.sent.sheet.at(-1)).toEqual(counts(proven, 1, 1));
  });

  it('are counted while the person is being verified', () => {
    const story = untilVerifying();
    story.asks(request({ ref: 'headset-1/equal' }));
    story.asks(second);
    expect(story.sent.sheet.slice(3)).toEqual([counts(first, 2, 0), counts(first, 2, 1)]);
  });

  it('are not counted anew where nothing changed', () => {
    const story = untilDeciding();
    story.settings({ pins: [pinned('server.example'), pinned('far.example')] });
    story.mutes('headset-3', 1_000);
    story.unlinked('link-2');
    expect(story.sent.sheet).toEqual([shows(first), accepts(first)]);
  });
});

describe('each device has its turn', () => {
  it('another device is next after the sheet on display, whatever floods the phone', () => {
    const story = untilDeciding();
    for (let n = 1; n <= 30; n += 1) story.asks(more(n));
    story.asks(more(1, 2));
    expect(story.refs()).toHaveLength(25);
    story.taps('user.deny', first.ref);
    expect(story.refs()[0]).toBe('headset-2/more-1');
  });

  it('three devices are served in a ring, each in the order of its own requests', () => {
    const story = phone();
    for (const device of [1, 2, 3]) story.linked(`link-${device}`, `headset-${device}`);
    const asked = [
      ...[1, 2, 3].map((n) => more(n, 1)),
      ...[1, 2].map((n) => more(n, 2)),
      more(1, 3),
      more(4, 1),
    ];
    for (const one of asked) story.asks(one);
    const shown: string[] = [];
    for (const _ of asked) {
      const [ref = ''] = story.refs();
      shown.push(ref);
      story.wait(700);
      story.taps('user.deny', ref);
    }
    expect(shown).toEqual([
      'headset-1/more-1',
      'headset-2/more-1',
      'headset-3/more-1',
      'headset-1/more-2',
      'headset-2/more-2',
      'headset-1/more-3',
      'headset-1/more-4',
    ]);
    expect(story.refs()).toEqual([]);
    expect(story.context().served).toEqual(['headset-3', 'headset-2', 'headset-1']);
  });

  it('a request that comes again under its id does not keep the place of a sheet that is gone', () => {
    const story = untilDeciding();
    story.send({ type: 'request.withdrawn', ref: first.ref });
    expect(story.context().shown).toBeNull();
  });
});

describe('a device that is muted', () => {
  const minutes = 600_000;

  it('loses its sheet and all that waits, and the next device has its turn', () => {
    const story = untilDeciding();
    for (const asked of [second, foreign]) story.asks(asked);
    story.mutes('headset-1', minutes);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    expect(story.refs()).toEqual([foreign.ref]);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(second),
      queues(foreign),
      refuses(first, 'deviceMuted'),
      refuses(second, 'deviceMuted'),
    ]);
    expect(story.sent.sheet).toEqual([
      shows(first),
      accepts(first),
      counts(first, 1, 1),
      counts(first, 1, 2),
      closes(first, 'failed'),
      closes(second, 'failed'),
      shows(foreign, afterWaiting),
    ]);
  });

  it('loses what waits while another’s sheet stays', () => {
    const story = untilDeciding();
    story.asks(foreign);
    story.mutes('headset-2', minutes);
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(foreign),
      refuses(foreign, 'deviceMuted'),
    ]);
    expect(story.sent.sheet.slice(2)).toEqual([
      counts(first, 1, 1),
      closes(foreign, 'failed'),
      counts(first, 1, 0),
    ]);
  });

  it('is not signed for, even if its person was verified', async () => {
    const story = await untilSigning();
    story.mutes('headset-1', minutes);
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.states().slice(-2)).toEqual(['signing', 'idle']);
    expect(story.sent.listener).toEqual([...begun, refuses(first, 'deviceMuted')]);
  });

  it('is refused until the mute ends by itself, and others are not', () => {
    const story = untilDeciding();
    story.mutes('headset-1', minutes);
    story.wait(minutes - 1);
    story.asks(second);
    expect(story.sent.listener.at(-1)).toEqual(refuses(second, 'deviceMuted'));
    expect(story.sent.sheet.at(-1)).toEqual(tellsRefused(second, 'deviceMuted'));
    story.asks(foreign);
    expect(story.refs()).toEqual([foreign.ref]);
    story.taps('user.deny', foreign.ref);
    story.wait(1);
    story.asks(second);
    expect(story.refs()).toEqual([foreign.ref, second.ref]);
    expect(story.context().muted).toEqual([]);
  });

  it('is heard again when it is unmuted', () => {
    const story = untilDeciding();
    story.mutes('headset-1', minutes);
    story.unmutes('headset-2');
    story.asks(first);
    expect(story.refs()).toEqual([]);
    story.unmutes('headset-1');
    story.asks(first);
    expect(story.refs()).toEqual([first.ref]);
  });

  it.each([
    ['longer', 1_000, 5_000],
    ['shorter', 5_000, 1_000],
  ])('once more is muted as long as was said last: %s', (_, before, last) => {
    const story = phone();
    story.mutes('headset-1', before);
    story.mutes('headset-1', last);
    story.wait(last - 1);
    expect(story.context().muted).toEqual(['headset-1']);
    story.wait(1);
    expect(story.context().muted).toEqual([]);
  });

  it('stays muted, and is heard again, while the phone sleeps', () => {
    const story = phone();
    story.send({ type: 'phone.suspended' });
    story.mutes('headset-1', 1_000);
    story.mutes('headset-2', 2_000);
    story.wait(1_000);
    story.send({ type: 'phone.resumed' });
    expect(story.context().muted).toEqual(['headset-2']);
    story.unmutes('headset-2');
    expect(story.context().muted).toEqual([]);
  });

  it('again after it was unmuted is muted for the whole of the new time', () => {
    const story = phone();
    story.mutes('headset-1', 1_000);
    story.unmutes('headset-1');
    story.wait(500);
    story.mutes('headset-1', 1_000);
    story.wait(999);
    expect(story.context().muted).toEqual(['headset-1']);
    story.wait(1);
    expect(story.context().muted).toEqual([]);
  });
});

/** Nobody answers two sheets of the first headset in a row. */
function untilIgnoredTwice(story = phone()): PhoneStory {
  untilAsked(story);
  story.wait(9_000);
  story.asks(second);
  story.wait(9_000);
  return story;
}

describe('a device whose sheets are ignored', () => {
  const third = more(3);

  it('is not cooled down after one', () => {
    const story = untilAsked();
    story.wait(9_000);
    story.asks(second);
    expect(story.refs()).toEqual([second.ref]);
    expect(story.context()).toMatchObject({ ignored: { 'headset-1': 1 }, cooling: [] });
  });

  it('is refused after two, what waits included, and others are not', () => {
    const story = untilAsked();
    const waiting = [second, third, more(4), foreign].map((asked) => ({
      ...asked,
      queueTtl: 60_000,
    }));
    for (const asked of waiting) story.asks(asked);
    story.wait(9_000);
    expect(story.refs()[0]).toBe(foreign.ref);
    story.wait(700);
    story.taps('user.deny', foreign.ref);
    expect(story.refs()[0]).toBe(second.ref);
    story.wait(8_000);
    expect(story.refs()).toEqual([]);
    expect(story.states().at(-1)).toBe('idle');
    expect(story.sent.listener.slice(6)).toEqual([
      expires(first),
      denies(foreign),
      expires(second),
      refuses(third, 'coolingDown'),
      refuses(more(4), 'coolingDown'),
    ]);
    expect(story.sent.sheet.slice(-3)).toEqual([
      closes(second, 'expired'),
      closes(third, 'failed'),
      closes(more(4), 'failed'),
    ]);
    expect(story.context()).toMatchObject({ ignored: {}, cooling: ['headset-1'] });
    story.asks(first);
    expect(story.sent.listener.at(-1)).toEqual(refuses(first, 'coolingDown'));
    expect(story.sent.sheet.at(-1)).toEqual(tellsRefused(first, 'coolingDown'));
    story.asks(foreign);
    expect(story.refs()).toEqual([foreign.ref]);
  });

  it('is heard again after thirty seconds, with its count begun afresh', () => {
    const story = untilIgnoredTwice();
    story.wait(29_999);
    story.asks(third);
    expect(story.sent.listener.at(-1)).toEqual(refuses(third, 'coolingDown'));
    story.wait(1);
    story.asks(third);
    expect(story.refs()).toEqual([third.ref]);
    story.wait(9_000);
    expect(story.context()).toMatchObject({ ignored: { 'headset-1': 1 }, cooling: [] });
  });

  it('is heard again while the phone sleeps', () => {
    const story = untilIgnoredTwice();
    story.send({ type: 'phone.suspended' });
    story.wait(30_000);
    expect(story.context().cooling).toEqual([]);
  });

  it('is heard again when its person unmutes it', () => {
    const story = untilIgnoredTwice();
    story.unmutes('headset-1');
    story.asks(third);
    expect(story.refs()).toEqual([third.ref]);
  });

  it('that is unmuted after one begins its count afresh', () => {
    const story = untilAsked();
    story.asks({ ...foreign, queueTtl: 60_000 });
    story.wait(9_000);
    story.wait(8_000);
    story.unmutes('headset-1');
    expect(story.context().ignored).toEqual({ 'headset-2': 1 });
  });

  it('cools down for thirty seconds again, whatever ended the last time early', () => {
    const story = untilIgnoredTwice();
    story.wait(1_000);
    story.unmutes('headset-1');
    for (const asked of [third, more(4)]) {
      story.asks(asked);
      story.wait(9_000);
    }
    story.wait(29_999);
    expect(story.context().cooling).toEqual(['headset-1']);
    story.wait(1);
    expect(story.context().cooling).toEqual([]);
  });

  it('cools down for thirty seconds, whatever mute was to end meanwhile', () => {
    const story = phone();
    story.mutes('headset-1', 20_000);
    story.unmutes('headset-1');
    untilIgnoredTwice(story);
    story.wait(2_000);
    expect(story.context().cooling).toEqual(['headset-1']);
  });

  it.each<[string, (story: PhoneStory, asked: SignRequest) => void | Promise<void>, SignRequest]>([
    ['a denial', (story, asked) => story.taps('user.deny', asked.ref), third],
    [
      'a denial in place of the code',
      (story, asked) => story.taps('user.deny', asked.ref),
      toNewHost,
    ],
    ['an approval', (story, asked) => story.taps('user.approve', asked.ref), third],
    ['the code', (story, asked) => story.types(asked.ref, '42'), toNewHost],
    ['a wrong code', (story, asked) => story.types(asked.ref, '00'), toNewHost],
  ])('is heard on when %s came between', async (_, attend, between) => {
    const story = untilAsked();
    story.wait(9_000);
    story.asks(between);
    story.wait(700);
    await attend(story, between);
    expect(story.context().ignored).toEqual({});
    story.wait(8_300);
    story.asks(second);
    expect(story.refs()).toEqual([second.ref]);
    expect(story.context().cooling).toEqual([]);
  });

  it('is heard on when it was another that was answered between, or ignored', () => {
    const story = untilAsked();
    story.wait(9_000);
    story.asks(foreign);
    story.wait(9_000);
    expect(story.context()).toMatchObject({
      ignored: { 'headset-1': 1, 'headset-2': 1 },
      cooling: [],
    });
    story.asks(foreign);
    story.wait(700);
    story.taps('user.deny', foreign.ref);
    expect(story.context().ignored).toEqual({ 'headset-1': 1 });
  });

  it('is not held to what expired where it waited', () => {
    const story = untilDeciding();
    for (const asked of [second, third]) story.asks({ ...asked, queueTtl: 1_000 });
    story.wait(1_000);
    expect(story.refs()).toEqual([first.ref]);
    expect(story.context()).toMatchObject({ ignored: {}, cooling: [] });
  });
});

describe('a new host in a storm', () => {
  it('that was pinned with a login spares the next one its code', async () => {
    const story = untilDeciding(phone(), toNewHost);
    const equal = request({ ...toNewHost, ref: 'headset-1/equal', code: '17' });
    story.asks(equal);
    story.pins(toNewHost.ref, true);
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    story.settings({ pins: [pinned('new.example')] });
    story.wait(700);
    expect(story.states().slice(-2)).toEqual(['settling', 'deciding']);
    expect(story.sent.sheet.slice(-3)).toEqual([
      shows(equal, { ...asNewHost, ...afterWaiting }),
      shows(equal, afterWaiting),
      accepts(equal),
    ]);
  });

  it('that is pinned spares the others their code', () => {
    const story = untilMatching();
    const equal = request({ ...toNewHost, ref: 'headset-1/equal', code: '17' });
    story.asks(equal);
    story.settings({ pins: [pinned('new.example', hostKey('new.example'))] });
    expect(story.sent.sheet.at(-1)).toMatchObject({
      type: 'sheet.show',
      ref: toNewHost.ref,
      badge: { badge: 'known' },
      code: '42',
      equal: 2,
    });
  });
});
