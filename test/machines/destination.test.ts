/** What the phone says of where a login goes, from its pins alone. */
import { describe, expect, it } from 'vitest';
import {
  badgeOf,
  canPin,
  hopNames,
  matches,
  mustTypeCode,
  type Badge,
  type HostPin,
} from '../../machines/phone/destination.ts';
import { allowedHostKeys } from '../../machines/phone/policy.ts';
import type { CertificateProblem, Proof } from '../../machines/phone/ports.ts';
import {
  boundTo,
  hop,
  hostKey,
  known,
  pinned,
  unproven,
  vouchedBy,
} from '../support/story-signer.ts';

const fingerprint = (host: string) => hostKey(host).fingerprint;

const [mine, other] = [pinned('mine.example', { since: 5 }), pinned('other.example')];
const ofMine = boundTo('mine.example');
const asked = (host: string, proof: Proof, port = 22) => ({ host, port, proof });

/** The host shows a certificate of that authority. */
function certified(host: string, problem: CertificateProblem | null = null, ca = 'SHA256:ca') {
  return boundTo(host, { host: { ...hostKey(host), certificate: { ca, problem } } });
}

const authority = (name: string, fields: Partial<HostPin> = {}) =>
  pinned(name, { port: 0, fingerprint: 'SHA256:ca', isCa: true, since: 7, ...fields });

const mineKnown = { ...known('mine.example'), since: 5 };
const newHost = (host: string): Badge => ({ badge: 'newHost', fingerprint: fingerprint(host) });

type Row = [string, HostPin[], ReturnType<typeof asked>, Badge];

describe('the badge of a proven host key', () => {
  it.each<Row>([
    [
      'is known when it is pinned for that name',
      [other, mine],
      asked('mine.example', ofMine),
      mineKnown,
    ],
    [
      'is known in whatever case the name is typed, and is called as it was pinned',
      [pinned('Mine.example', { ...hostKey('mine.example'), since: 5 })],
      asked('MINE.EXAMPLE', ofMine),
      { ...mineKnown, name: 'Mine.example' },
    ],
    [
      'is known under the name that was typed, where it has several',
      [pinned('alias', hostKey('mine.example')), mine],
      asked('mine.example', ofMine),
      mineKnown,
    ],
    [
      'is known of a host without a name, whatever the port',
      [pinned('', { ...hostKey('mine.example'), port: 0 })],
      asked('', ofMine, 22),
      { ...known('mine.example'), name: '' },
    ],
    [
      'is known as another name when only that one has it',
      [other],
      asked('mine.example', boundTo('other.example')),
      {
        badge: 'knownAs',
        name: 'other.example',
        since: 1_000,
        fingerprint: fingerprint('other.example'),
      },
    ],
    [
      'is known as that name at another port',
      [mine],
      asked('mine.example', ofMine, 2_222),
      {
        badge: 'knownAs',
        name: 'mine.example',
        since: 5,
        fingerprint: fingerprint('mine.example'),
      },
    ],
    [
      'is known as its name when none was typed',
      [mine],
      asked('', ofMine, 0),
      {
        badge: 'knownAs',
        name: 'mine.example',
        since: 5,
        fingerprint: fingerprint('mine.example'),
      },
    ],
    [
      'is known as no name when a name was typed for a host without one',
      [pinned('', { ...hostKey('mine.example'), port: 0 })],
      asked('mine.example', ofMine),
      { badge: 'knownAs', name: '', since: 1_000, fingerprint: fingerprint('mine.example') },
    ],
    ['is new when nothing is pinned', [], asked('mine.example', ofMine), newHost('mine.example')],
    [
      'is new when other hosts are pinned',
      [other],
      asked('mine.example', ofMine),
      newHost('mine.example'),
    ],
    [
      'is new at a port that has no key, whatever another port has',
      [pinned('mine.example', { ...hostKey('other.example') })],
      asked('mine.example', ofMine, 2_222),
      newHost('mine.example'),
    ],
    [
      'is new of a host without a name, beside another one',
      [pinned('', { ...hostKey('other.example'), port: 0 })],
      asked('', ofMine, 0),
      newHost('mine.example'),
    ],
    [
      'is a new key type when that name has keys of other types',
      [pinned('mine.example', { keyType: 'ssh-rsa', fingerprint: 'SHA256:rsa' })],
      asked('mine.example', ofMine),
      { badge: 'newKeyType', fingerprint: fingerprint('mine.example') },
    ],
    [
      'has changed when that name, port and key type has another',
      [pinned('Mine.example', hostKey('other.example'))],
      asked('mine.example', ofMine),
      {
        badge: 'changed',
        name: 'Mine.example',
        known: fingerprint('other.example'),
        fingerprint: fingerprint('mine.example'),
      },
    ],
    [
      'has changed even when the new one is pinned elsewhere',
      [pinned('mine.example', hostKey('lost.example')), other],
      asked('mine.example', boundTo('other.example')),
      {
        badge: 'changed',
        name: 'mine.example',
        known: fingerprint('lost.example'),
        fingerprint: fingerprint('other.example'),
      },
    ],
  ])('%s', (_, pins, request, badge) => {
    expect(badgeOf(pins, request)).toEqual(badge);
  });
});

describe('the badge of a host that only vouched', () => {
  it.each<Row>([
    [
      'names its pin, and is not known',
      [mine],
      asked('mine.example', vouchedBy('mine.example')),
      { badge: 'vouched', name: 'mine.example', fingerprint: fingerprint('mine.example') },
    ],
    [
      'has no name without a pin',
      [other],
      asked('mine.example', vouchedBy('mine.example')),
      { badge: 'vouched', name: null, fingerprint: fingerprint('mine.example') },
    ],
    [
      'has changed when its name has another key',
      [pinned('mine.example', hostKey('other.example'))],
      asked('mine.example', vouchedBy('mine.example')),
      {
        badge: 'changed',
        name: 'mine.example',
        known: fingerprint('other.example'),
        fingerprint: fingerprint('mine.example'),
      },
    ],
    [
      'is not known by its authority either',
      [authority('*.example')],
      asked('mine.example', { ...certified('mine.example'), strength: 'vouched' }),
      { badge: 'vouched', name: null, fingerprint: fingerprint('mine.example') },
    ],
  ])('%s', (_, pins, request, badge) => {
    expect(badgeOf(pins, request)).toEqual(badge);
  });
});

describe('the badge of a host with a certificate', () => {
  const byCa: Badge = { ...mineKnown, since: 7, isCertified: true };

  it.each<Row>([
    [
      'is known by its authority',
      [authority('*.example')],
      asked('mine.example', certified('mine.example')),
      byCa,
    ],
    [
      'is known at the port that the authority is for',
      [authority('MINE.*', { port: 2_222 })],
      asked('mine.example', certified('mine.example'), 2_222),
      byCa,
    ],
    [
      'is known by its authority where the name had a key of its own',
      [pinned('mine.example', hostKey('other.example')), authority('*.example')],
      asked('mine.example', certified('mine.example')),
      byCa,
    ],
    [
      'is new at another port',
      [authority('*.example', { port: 2_222 })],
      asked('mine.example', certified('mine.example')),
      newHost('mine.example'),
    ],
    [
      'is new under a name that the authority is not for',
      [authority('*.elsewhere')],
      asked('mine.example', certified('mine.example')),
      newHost('mine.example'),
    ],
    [
      'is new with another authority',
      [authority('*.example')],
      asked('mine.example', certified('mine.example', null, 'SHA256:other-ca')),
      newHost('mine.example'),
    ],
    [
      'is new when no name was typed, since a certificate is for names',
      [authority('*')],
      asked('', certified('mine.example'), 0),
      newHost('mine.example'),
    ],
    [
      'is new without a certificate, even with the very key of the authority',
      [authority('*.example')],
      asked(
        'mine.example',
        boundTo('mine.example', {
          host: { fingerprint: 'SHA256:ca', keyType: 'ssh-ed25519', certificate: null },
        }),
      ),
      { badge: 'newHost', fingerprint: 'SHA256:ca' },
    ],
    [
      'is known by its own key where the certificate does not hold',
      [mine, authority('*.example')],
      asked('mine.example', certified('mine.example', 'expired')),
      mineKnown,
    ],
  ])('%s', (_, pins, request, badge) => {
    expect(badgeOf(pins, request)).toEqual(badge);
  });

  it.each<CertificateProblem>([
    'expired',
    'notYetValid',
    'otherHost',
    'userCertificate',
    'criticalOptions',
    'badSignature',
  ])('is not proven, and says why: %s', (why) => {
    const request = asked('mine.example', certified('mine.example', why));
    expect(badgeOf([authority('*.example')], request)).toEqual({ badge: 'notProven', why });
    expect(badgeOf([], request)).toEqual({ badge: 'notProven', why });
  });
});

describe('the badge of what is not bound', () => {
  it.each<[Proof['why'], Badge]>([
    ['noBind', { badge: 'notProven', why: 'noBind' }],
    ['unsupportedHostKey', { badge: 'notProven', why: 'unsupportedHostKey' }],
    ['signature', { badge: 'signature' }],
    [null, { badge: 'notProven', why: 'noBind' }],
  ])('%s', (why, badge) => {
    expect(badgeOf([mine], asked('mine.example', { ...unproven, why }))).toEqual(badge);
  });
});

describe('what a badge asks of the person', () => {
  const badges: Badge['badge'][] = [
    'known',
    'knownAs',
    'newHost',
    'newKeyType',
    'vouched',
    'changed',
    'notProven',
    'signature',
  ];
  const those = (does: (badge: Badge) => boolean) =>
    badges.filter((badge) => does({ badge } as Badge));

  it('the code is typed for a host that is new or only vouched', () => {
    expect(those((badge) => mustTypeCode(badge, ofMine))).toEqual([
      'newHost',
      'newKeyType',
      'vouched',
    ]);
  });

  it('the code is typed for whatever came through a forwarded agent', () => {
    const forwarded = boundTo('mine.example', { hops: [hop('other.example')] });
    expect(those((badge) => mustTypeCode(badge, forwarded))).toEqual(badges);
  });

  it('only a proven key can be pinned, and a name to one that has another', () => {
    expect(those((badge) => canPin(badge, 'mine.example'))).toEqual([
      'knownAs',
      'newHost',
      'newKeyType',
    ]);
    expect(those((badge) => canPin(badge, ''))).toEqual(['newHost', 'newKeyType']);
  });
});

describe('a pattern', () => {
  it.each([
    ['', ''],
    ['*', ''],
    ['*', 'mine.example'],
    ['**', 'mine'],
    ['*.example', 'mine.example'],
    ['*.example', '.example'],
    ['mine.*', 'mine.example'],
    ['m?ne', 'mine'],
    ['m*n*e', 'mine.example'],
    ['*example', 'example.example'],
    ['*', '*.example'],
    ['*x', '**x'],
    ['?', '*'],
    ['a*b?c', 'axxbybzc'],
  ])('%j matches %j', (pattern, name) => {
    expect(matches(pattern, name)).toBe(true);
  });

  it.each([
    ['', 'mine'],
    ['mine', ''],
    ['?', ''],
    ['*?', ''],
    ['mine', 'mine.example'],
    ['*.example', 'mine.example.elsewhere'],
    ['mine.*', 'notmine.example'],
    ['m?ne', 'mne'],
    ['m?ne', 'miine'],
    ['*.example', 'mine-example'],
    ['*a*b', 'ba'],
    ['Mine', 'mine'],
    ['[m]ine', 'mine'],
    ['m.ne', 'mine'],
  ])('%j does not match %j', (pattern, name) => {
    expect(matches(pattern, name)).toBe(false);
  });

  it('made to be slow is not', () => {
    const began = performance.now();
    expect(matches(`${'*a'.repeat(127)}b`, 'a'.repeat(255))).toBe(false);
    expect(performance.now() - began).toBeLessThan(100);
  });
});

describe('the hops of a forwarded agent', () => {
  it('are called by the name of a pin, else by their fingerprint', () => {
    const pins = [
      pinned('', { ...hostKey('bastion'), port: 0 }),
      authority('*', hostKey('bastion')),
      pinned('bastion.example', hostKey('bastion')),
      pinned('alias.example', hostKey('bastion')),
    ];
    const proof = boundTo('mine.example', { hops: [hop('bastion'), hop('stranger', false)] });
    expect(hopNames(pins, proof)).toEqual(['bastion.example', 'SHA256:key-of-stranger']);
    expect(hopNames(pins, ofMine)).toEqual([]);
  });
});

const to = (host: string, port: number | null = null) => ({ user: null, host, port });

describe('the host keys that an identity may log in to', () => {
  it('are any without a lock', () => {
    expect(allowedHostKeys([mine], [])).toBeNull();
  });

  it('are those of the pins of the allowed names, each once', () => {
    const pins = [
      mine,
      pinned('mine.example', { keyType: 'ssh-rsa', fingerprint: 'SHA256:rsa' }),
      pinned('alias', hostKey('mine.example')),
      pinned('mine.example', { ...hostKey('inner'), port: 2_222 }),
      other,
    ];
    expect(allowedHostKeys(pins, [to('MINE.example'), to('alias')])).toEqual([
      'SHA256:key-of-mine.example',
      'SHA256:rsa',
      'SHA256:key-of-inner',
    ]);
    expect(allowedHostKeys(pins, [to('mine.example', 2_222)])).toEqual(['SHA256:key-of-inner']);
    expect(allowedHostKeys(pins, [to('nobody')])).toEqual([]);
  });

  it('cannot be listed where an authority certifies one of the hosts', () => {
    const pins = [mine, authority('*.Example')];
    expect(allowedHostKeys(pins, [to('mine.EXAMPLE'), to('elsewhere')])).toBeNull();
    expect(allowedHostKeys(pins, [to('elsewhere')])).toEqual([]);
  });
});
