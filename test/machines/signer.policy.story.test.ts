/** The phone and what its person has decided: what gets no sheet, and why. */
import { describe, expect, it } from 'vitest';
import type { SignerIdentity } from '../../machines/phone/signer.context.ts';
import {
  defaultPolicy,
  type AllowedDestination,
  type Policy,
} from '../../machines/phone/policy.ts';
import type { SignRequest } from '../../machines/phone/ports.ts';
import type { SignerFailure } from '../../machines/ports.ts';
import {
  advertises,
  boundTo,
  closes,
  counts,
  disabled,
  enabled,
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
  second,
  tellsRefused,
  toNewHost,
  unproven,
  untilAsked,
  untilDeciding,
  untilSigning,
  vouchedBy,
} from '../support/story-signer.ts';

const toDeciding = ['advertising', 'idle', 'settling', 'deciding'];
const advertised = advertises('work', 'home');

const policy = (fields: Partial<Policy>): Policy => ({ ...defaultPolicy, ...fields });

/** The identity `work`, locked to these destinations. */
const locked = (...allowed: Partial<AllowedDestination>[]): SignerIdentity => ({
  ...enabled('work'),
  allowed: allowed.map((one) => ({ user: null, host: 'server.example', port: null, ...one })),
});

const throughOther = request({
  proof: boundTo('server.example', { hops: [hop('other.example')] }),
});
const plain = request({ kind: 'publickey', proof: unproven });
const signature = request({ kind: 'sshsig', proof: { ...unproven, why: 'signature' } });
const withoutCa = { certificate: null };
const certified = (problem: 'expired' | null) =>
  request({
    host: 'web.farm.example',
    proof: boundTo('web', {
      host: { ...hostKey('web'), certificate: { ca: 'SHA256:ca', problem } },
    }),
  });
const farm = pinned('*.farm.example', { port: 0, fingerprint: 'SHA256:ca', isCa: true });

interface Case {
  asked: SignRequest;
  options?: Parameters<typeof phone>[0];
}

/** The phone, as its person has set it, when this request arrives alone. */
function asking({ asked, options = {} }: Case) {
  const story = phone(options);
  story.linked('link-1', 'headset-1');
  story.asks(asked);
  return story;
}

const refused: [SignerFailure, string, Case][] = [
  [
    'identityUnknown',
    'a key that it does not hold',
    { asked: request({ fingerprint: 'SHA256:x' }) },
  ],
  [
    'identityDisabled',
    'a key that is disabled',
    { asked: first, options: { identities: [disabled('work'), enabled('home')] } },
  ],
  [
    'destinationChanged',
    'a host whose key is another than the pinned one',
    { asked: request({ proof: boundTo('other.example') }) },
  ],
  [
    'destinationChanged',
    'a host that vouches with another key than the pinned one',
    { asked: request({ kind: 'publickey', proof: vouchedBy('other.example') }) },
  ],
  [
    'forwardingRefused',
    'a login through a forwarded agent, where none may be',
    { asked: throughOther, options: { policy: policy({ forwarding: 'never' }) } },
  ],
  [
    'forwardingRefused',
    'a signature through a forwarded agent, where none may be',
    {
      asked: request({ ...signature, proof: { ...signature.proof, hops: [hop('other.example')] } }),
      options: { policy: policy({ forwarding: 'never' }) },
    },
  ],
  [
    'forwardedUnproven',
    'a login through a forwarded agent that proves nothing',
    { asked: request({ ...plain, proof: { ...unproven, hops: [hop('other.example')] } }) },
  ],
  [
    'forwardedUnproven',
    'a login through a forwarded agent for which a host only vouches',
    {
      asked: request({
        kind: 'publickey',
        proof: { ...vouchedBy('server.example'), hops: [hop('other.example')] },
      }),
    },
  ],
  [
    'hopNotListed',
    'a hop that is not listed',
    {
      asked: throughOther,
      options: { policy: policy({ forwarding: 'listed', listed: ['server.example'] }) },
    },
  ],
  [
    'hopNotListed',
    'a second hop that is not listed',
    {
      asked: request({
        proof: boundTo('server.example', { hops: [hop('other.example'), hop('far.example')] }),
      }),
      options: { policy: policy({ forwarding: 'listed', listed: ['other.example'] }) },
    },
  ],
  [
    'hopNotListed',
    'a listed hop that is not proven',
    {
      asked: request({
        proof: boundTo('server.example', { hops: [hop('other.example', false)] }),
      }),
      options: { policy: policy({ forwarding: 'listed', listed: ['other.example'] }) },
    },
  ],
  [
    'hopNotListed',
    'a hop that has the key of a listed authority',
    {
      asked: request({
        proof: boundTo('server.example', {
          hops: [{ fingerprint: 'SHA256:ca', keyType: 'ssh-ed25519', proven: true }],
        }),
      }),
      options: {
        pins: [pinned('server.example'), farm],
        policy: policy({ forwarding: 'listed', listed: ['*.farm.example'] }),
      },
    },
  ],
  [
    'proofRequired',
    'a login that proves nothing, where proof is required',
    { asked: plain, options: { policy: policy({ requireProof: true }) } },
  ],
  [
    'proofRequired',
    'a login for which a host only vouches, where proof is required',
    {
      asked: request({ kind: 'publickey', proof: vouchedBy('server.example') }),
      options: { policy: policy({ requireProof: true }), hostboundHosts: [] },
    },
  ],
  [
    'proofRequired',
    'a host whose certificate does not hold, where proof is required',
    { asked: certified('expired'), options: { policy: policy({ requireProof: true }) } },
  ],
  [
    'vouchedRefused',
    'a host that vouches and was once bound',
    { asked: request({ kind: 'publickey', proof: vouchedBy('server.example') }) },
  ],
  [
    'destinationNotAllowed',
    'another host than the key is locked to',
    { asked: second, options: { identities: [locked({})] } },
  ],
  [
    'destinationNotAllowed',
    'another user than the key is locked to',
    { asked: first, options: { identities: [locked({ user: 'root' })] } },
  ],
  [
    'destinationNotAllowed',
    'another port than the key is locked to',
    { asked: first, options: { identities: [locked({ port: 2_222 })] } },
  ],
  [
    'destinationNotAllowed',
    'a host that is only called as the one that the key is locked to',
    {
      asked: request({ proof: boundTo('far.example') }),
      options: { identities: [locked({})], pins: [] },
    },
  ],
  [
    'destinationNotAllowed',
    'a host that vouches, with a key that is locked to it',
    {
      asked: request({ kind: 'publickey', proof: vouchedBy('server.example') }),
      options: { identities: [locked({})], hostboundHosts: [] },
    },
  ],
  [
    'destinationNotAllowed',
    'a login that proves nothing, with a key that is locked',
    { asked: plain, options: { identities: [locked({})] } },
  ],
  [
    'destinationNotAllowed',
    'a signature, with a key that is locked',
    { asked: signature, options: { identities: [locked({})] } },
  ],
  [
    'destinationNotAllowed',
    'a host that has the key of the authority of the allowed one',
    {
      asked: request({
        host: 'web.farm.example',
        proof: boundTo('web', {
          host: { fingerprint: 'SHA256:ca', keyType: 'ssh-ed25519', ...withoutCa },
        }),
      }),
      options: { identities: [locked({ host: '*.farm.example' })], pins: [farm] },
    },
  ],
  [
    'destinationNotAllowed',
    'a certified host of another name than the key is locked to',
    {
      asked: certified(null),
      options: { identities: [locked({ host: 'db.farm.example' })], pins: [farm] },
    },
  ],
  [
    'destinationNotAllowed',
    'a certified host at another port than the key is locked to',
    {
      asked: certified(null),
      options: { identities: [locked({ host: 'web.farm.example', port: 2_222 })], pins: [farm] },
    },
  ],
];

describe('the phone refuses before a sheet, says so on its screen, and tells the headset why', () => {
  it.each(refused)('%s: %s', (reason, _, { asked, options = {} }) => {
    const story = asking({ asked, options });
    expect(story.states()).toEqual(['advertising', 'idle']);
    expect(story.sent.listener.slice(1)).toEqual([refuses(asked, reason)]);
    expect(story.sent.sheet).toEqual([tellsRefused(asked, reason)]);
    expect(story.refs()).toEqual([]);
  });

  it('has a story for each reason that is not one of storms', () => {
    expect(new Set(refused.map(([reason]) => reason))).toEqual(
      new Set<SignerFailure>([
        'identityUnknown',
        'identityDisabled',
        'destinationChanged',
        'forwardingRefused',
        'forwardedUnproven',
        'hopNotListed',
        'proofRequired',
        'vouchedRefused',
        'destinationNotAllowed',
      ]),
    );
  });
});

describe('the phone shows a sheet', () => {
  it.each<[string, Case]>([
    ['for a forwarded agent, where it asks', { asked: throughOther }],
    [
      'for listed hops, in whatever case',
      {
        asked: request({
          proof: boundTo('server.example', { hops: [hop('other.example'), hop('server.example')] }),
        }),
        options: {
          policy: policy({ forwarding: 'listed', listed: ['OTHER.example', 'Server.Example'] }),
        },
      },
    ],
    [
      'for a login without hops, where only listed ones may be',
      { asked: first, options: { policy: policy({ forwarding: 'listed' }) } },
    ],
    [
      'for a login without hops, where none may be',
      { asked: first, options: { policy: policy({ forwarding: 'never' }) } },
    ],
    [
      'for a signature through a forwarded agent, where it asks',
      {
        asked: request({ ...signature, proof: { ...signature.proof, hops: [hop('far.example')] } }),
      },
    ],
    ['for a login that proves nothing', { asked: plain }],
    [
      'for a new host, where proof is required',
      { asked: toNewHost, options: { policy: policy({ requireProof: true }) } },
    ],
    [
      'for a signature, where proof is required',
      { asked: signature, options: { policy: policy({ requireProof: true }) } },
    ],
    [
      'for the host, user and port that the key is locked to',
      {
        asked: first,
        options: { identities: [locked({ user: 'ada', host: 'SERVER.example', port: 22 })] },
      },
    ],
    [
      'for one of several destinations that the key is locked to',
      { asked: second, options: { identities: [locked({}, { host: 'other.example' })] } },
    ],
    [
      'for the host that the key is locked to, called otherwise',
      { asked: request({ host: 'alias' }), options: { identities: [locked({})] } },
    ],
    [
      'for a certified host that the key is locked to',
      {
        asked: certified(null),
        options: { identities: [locked({ host: 'WEB.farm.example', port: 22 })], pins: [farm] },
      },
    ],
    [
      'for any host, with a key whose lock is empty',
      { asked: plain, options: { identities: [locked()] } },
    ],
  ])('%s', (_, { asked, options = {} }) => {
    const story = asking({ asked, options });
    expect(story.states()).toEqual(['advertising', 'idle', 'settling']);
    expect(story.refs()).toEqual([asked.ref]);
    expect(story.sent.sheet).toMatchObject([{ type: 'sheet.show', ref: asked.ref }]);
  });
});

describe('of several reasons the phone tells the first', () => {
  const bad = request({
    kind: 'publickey',
    proof: { ...vouchedBy('other.example'), hops: [hop('far.example')] },
  });
  const strict = policy({ requireProof: true, forwarding: 'never' });

  it.each<[SignerFailure, Parameters<typeof phone>[0]]>([
    ['identityUnknown', { identities: [] }],
    ['identityDisabled', { identities: [{ ...locked({}), enabled: false }] }],
    ['destinationChanged', { policy: strict }],
    ['forwardingRefused', { policy: strict, pins: [] }],
    [
      'forwardedUnproven',
      { policy: policy({ requireProof: true, forwarding: 'listed' }), pins: [] },
    ],
  ])('%s', (reason, options) => {
    const story = asking({ asked: bad, options: { identities: [locked({})], ...options } });
    expect(story.sent.sheet).toEqual([tellsRefused(bad, reason)]);
  });

  it('a lock is told last, and a mute before all that is said of the destination', () => {
    const vouched = request({ kind: 'publickey', proof: vouchedBy('server.example') });
    const story = asking({ asked: vouched, options: { identities: [locked({ user: 'root' })] } });
    expect(story.sent.sheet).toEqual([tellsRefused(vouched, 'vouchedRefused')]);
    story.mutes('headset-1', 1_000);
    story.asks(vouched);
    expect(story.sent.sheet.at(-1)).toEqual(tellsRefused(vouched, 'deviceMuted'));
  });
});

describe('a decision that forbids what is there already', () => {
  it.each<[SignerFailure, SignRequest, Parameters<ReturnType<typeof phone>['settings']>[0]]>([
    ['identityDisabled', first, { identities: [disabled('work'), enabled('home')] }],
    ['destinationNotAllowed', first, { identities: [locked({ user: 'root' }), enabled('home')] }],
    ['forwardingRefused', throughOther, { policy: policy({ forwarding: 'never' }) }],
    ['hopNotListed', throughOther, { policy: policy({ forwarding: 'listed' }) }],
    ['proofRequired', plain, { policy: policy({ requireProof: true }) }],
    ['destinationChanged', first, { pins: [pinned('server.example', hostKey('other.example'))] }],
  ])('%s refuses the sheet, even while it is being signed', async (reason, asked, changed) => {
    const story = await untilSigning(phone(), asked);
    story.settings(changed);
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.states().slice(-2)).toEqual(['signing', 'idle']);
    expect(story.sent.listener.slice(3)).toEqual([refuses(asked, reason)]);
    expect(story.sent.sheet.at(-1)).toEqual(closes(asked, 'failed'));
  });

  it('refuses what waits, each for its own reason, and leaves the sheet', () => {
    const story = untilDeciding();
    const forwarded = request({ ...throughOther, ref: 'headset-1/request-7' });
    const unbound = request({ ...plain, ref: 'headset-1/request-8' });
    for (const asked of [forwarded, unbound, foreign]) story.asks(asked);
    story.settings({ policy: policy({ forwarding: 'never', requireProof: true }) });
    expect(story.states()).toEqual(toDeciding);
    expect(story.refs()).toEqual([first.ref, foreign.ref]);
    expect(story.sent.listener.slice(2)).toEqual([
      queues(forwarded),
      queues(unbound),
      queues(foreign),
      advertised,
      refuses(forwarded, 'forwardingRefused'),
      refuses(unbound, 'proofRequired'),
    ]);
    expect(story.sent.sheet.slice(-3)).toEqual([
      closes(forwarded, 'failed'),
      closes(unbound, 'failed'),
      counts(first, 1, 1),
    ]);
    story.wait(60_000);
    expect(story.sent.listener.filter((sent) => 'ref' in sent && sent.ref === unbound.ref)).toEqual(
      [queues(unbound), refuses(unbound, 'proofRequired')],
    );
  });

  it('that allows more leaves the sheet as it is', () => {
    const story = untilDeciding(phone({ policy: policy({ requireProof: true }) }));
    story.settings({ policy: policy({}), identities: [enabled('work')] });
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.listener).toEqual([advertised, presents(first), advertises('work')]);
  });

  it('made while the phone sleeps holds when it wakes', () => {
    const story = phone();
    story.send({ type: 'phone.suspended' });
    story.settings({ policy: policy({ requireProof: true }) });
    story.send({ type: 'phone.resumed' });
    story.linked('link-1', 'headset-1');
    story.asks(plain);
    expect(story.sent.sheet).toEqual([tellsRefused(plain, 'proofRequired')]);
  });

  it('made while nobody is linked holds, too', () => {
    const story = phone();
    story.settings({ pins: [], policy: policy({ requireProof: true }) });
    story.linked('link-1', 'headset-1');
    story.asks(plain);
    story.asks(first);
    expect(story.sent.sheet).toMatchObject([
      tellsRefused(plain, 'proofRequired'),
      { type: 'sheet.show', badge: { badge: 'newHost' } },
    ]);
  });
});

describe('the time limit of a phone', () => {
  it.each([
    ['shortens a sheet that a headset would give more', 7, 7_000],
    ['leaves a sheet alone that is shorter', 120, first.ttl],
  ])('%s', (_what, timeLimit, ttl) => {
    const story = asking({ asked: first, options: { policy: policy({ timeLimit }) } });
    expect(story.sent.sheet).toMatchObject([{ type: 'sheet.show', ttl }]);
    story.clock.increment(ttl - 1);
    expect(story.sent.sheet.at(-1)).not.toMatchObject({ type: 'sheet.close' });
    story.clock.increment(1);
    expect(story.sent.sheet.at(-1)).toMatchObject({ type: 'sheet.close', outcome: 'expired' });
  });
});

describe('a lock is told to the headsets', () => {
  const { enabled: _, ...work } = enabled('work');

  it('as the host keys that the identity may log in to', () => {
    const story = phone({ identities: [locked({})] });
    const told = { ...work, onlyFor: [hostKey('server.example').fingerprint] };
    expect(story.sent.listener).toEqual([{ type: 'listener.advertise', identities: [told] }]);
  });

  it('anew when a pin is learnt', () => {
    const story = untilAsked(phone({ identities: [locked({ host: 'new.example' })] }), second);
    expect(story.sent.listener[0]).toEqual({
      type: 'listener.advertise',
      identities: [{ ...work, onlyFor: [] }],
    });
    story.settings({ pins: [pinned('new.example')] });
    expect(story.sent.listener.at(-1)).toEqual({
      type: 'listener.advertise',
      identities: [{ ...work, onlyFor: [hostKey('new.example').fingerprint] }],
    });
  });

  it('not at all where an authority certifies the host, since its keys cannot be listed', () => {
    const story = phone({ identities: [locked({ host: 'web.farm.example' })], pins: [farm] });
    expect(story.sent.listener).toEqual([{ type: 'listener.advertise', identities: [work] }]);
  });
});
