/** The phone and where a login goes: the badge, the matching code, and what is remembered of hosts. */
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
  known,
  phone,
  pinned,
  presents,
  queues,
  refuses,
  request,
  retries,
  saysWrongCode,
  shows,
  showsPinning,
  toNewHost,
  unproven,
  untilAsked,
  untilDeciding,
  untilMatching,
  untilSigning,
  untilVerifying,
  verifies,
  vouchedBy,
  type SheetFields,
} from '../support/story-signer.ts';

const toSettling = ['advertising', 'idle', 'settling'];
const toMatching = [...toSettling, 'matching'];
const toDeciding = [...toMatching, 'deciding'];
const toVerifying = [...toDeciding, 'verifyingUser'];
const toSigning = [...toVerifying, 'signing'];

const advertised = advertises('work', 'home');
const begun = [advertised, presents(toNewHost)];
const asked = [shows(toNewHost, asNewHost), asksCode(toNewHost)];
const matched = [...asked, accepts(toNewHost)];

const knownHosts = [pinned('server.example'), pinned('other.example')];
const newPin = pinned('new.example', { since: 2_000 });
const fingerprint = (host: string) => hostKey(host).fingerprint;

/** By a host that has not offered hostbound authentication. */
const vouched = request({
  ref: 'headset-1/request-5',
  host: 'old.example',
  kind: 'publickey',
  proof: vouchedBy('old.example'),
});
const asVouched = {
  badge: { badge: 'vouched', name: null, fingerprint: fingerprint('old.example') },
  code: null,
} satisfies SheetFields;

/** The same host names itself in the bytes of another headset's request. */
const boundToOld = request({ ...foreign, host: 'old.example', proof: boundTo('old.example') });
const notesOld = { type: 'pins.noteHostbound', fingerprint: fingerprint('old.example') };

describe('the code that the headset shows', () => {
  it('is typed for a host that the phone has never seen, and then the person decides', () => {
    const story = untilMatching();
    expect(story.states()).toEqual(toMatching);
    expect(story.sent).toEqual({ listener: begun, sheet: asked, pins: [] });
    story.types(toNewHost.ref, '42');
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent).toEqual({ listener: begun, sheet: matched, pins: [] });
  });

  it('is shown to be compared, and not typed, for a host that is known', () => {
    const story = untilAsked();
    story.wait(700);
    expect(story.states()).toEqual([...toSettling, 'deciding']);
    expect(story.sent.sheet).toEqual([shows(first, { code: '42' }), accepts(first)]);
  });

  it.each<[string, SignRequest, SheetFields]>([
    ['of a host that only vouched', vouched, asVouched],
    [
      'of a key type that the host did not have',
      request({
        host: 'server.example',
        proof: boundTo('new.example', {
          host: { fingerprint: 'SHA256:rsa', keyType: 'ssh-rsa', certificate: null },
        }),
      }),
      { badge: { badge: 'newKeyType', fingerprint: 'SHA256:rsa' }, code: null, canPin: true },
    ],
    [
      'of a known host through a forwarded agent, whose hops are shown',
      request({
        proof: boundTo('server.example', { hops: [hop('other.example'), hop('far.example')] }),
      }),
      { hops: ['other.example', 'SHA256:key-of-far.example'], code: null },
    ],
  ])('is typed for the request %s', (_, typed, fields) => {
    const story = untilMatching(phone(), typed);
    expect(story.states()).toEqual(toMatching);
    expect(story.sent.sheet).toEqual([shows(typed, fields), asksCode(typed)]);
    story.taps('user.approve', typed.ref);
    expect(story.states()).toEqual(toMatching);
    story.types(typed.ref, '42');
    expect(story.states()).toEqual(toDeciding);
  });

  it.each<[string, SignRequest, SheetFields]>([
    [
      'known under another name',
      request({ host: 'alias', proof: boundTo('other.example') }),
      {
        badge: {
          badge: 'knownAs',
          name: 'other.example',
          since: 1_000,
          fingerprint: fingerprint('other.example'),
        },
        canPin: true,
      },
    ],
    [
      'not proven',
      request({ kind: 'publickey', proof: unproven }),
      { badge: { badge: 'notProven', why: 'noBind' } },
    ],
    [
      'a signature that goes nowhere',
      request({ kind: 'sshsig', proof: { ...unproven, why: 'signature' } }),
      { badge: { badge: 'signature' } },
    ],
  ])('is not typed for a destination that is %s', (_, compared, fields) => {
    const story = untilAsked(phone(), compared);
    story.wait(700);
    expect(story.states()).toEqual([...toSettling, 'deciding']);
    expect(story.sent.sheet).toEqual([shows(compared, fields), accepts(compared)]);
  });

  it('lets nobody approve or pin before it was typed', () => {
    const story = untilMatching();
    story.taps('user.approve', toNewHost.ref);
    story.pins(toNewHost.ref, true);
    expect(story.states()).toEqual(toMatching);
    expect(story.context().pinning).toBe(false);
    expect(story.sent).toEqual({ listener: begun, sheet: asked, pins: [] });
    expect(story.biometrics.inputs).toEqual([]);
  });

  it('counts for nothing while the sheet is fresh', () => {
    const story = untilAsked(phone(), toNewHost);
    story.wait(699);
    story.types(toNewHost.ref, '42');
    story.wait(1);
    expect(story.states()).toEqual(toMatching);
    story.taps('user.approve', toNewHost.ref);
    expect(story.states()).toEqual(toMatching);
  });

  it('counts for nothing where the person decides already', () => {
    const story = untilDeciding(phone(), toNewHost);
    story.types(toNewHost.ref, '42');
    story.types(toNewHost.ref, '17');
    expect(story.states()).toEqual(toDeciding);
    expect(story.context().tries).toBe(0);
    expect(story.sent.sheet).toEqual(matched);
  });

  it('of another request counts for nothing, right or wrong', () => {
    const story = untilMatching();
    story.asks({ ...foreign, code: '17' });
    for (const code of ['42', '17', '00', '00']) story.types(foreign.ref, code);
    story.forge({ type: 'user.code', code: '42' });
    expect(story.states()).toEqual(toMatching);
    expect(story.context().tries).toBe(0);
    expect(story.sent.sheet).toEqual([...asked, counts(toNewHost, 1, 1)]);
  });

  it('may be typed wrong twice', () => {
    const story = untilMatching();
    story.types(toNewHost.ref, '24');
    story.types(toNewHost.ref, '');
    expect(story.states()).toEqual(toMatching);
    story.types(toNewHost.ref, '42');
    expect(story.states()).toEqual(toDeciding);
    expect(story.sent.sheet).toEqual([
      ...asked,
      saysWrongCode(toNewHost, 2),
      saysWrongCode(toNewHost, 1),
      accepts(toNewHost),
    ]);
  });

  it('typed wrong three times denies that request, and it alone', () => {
    const story = untilMatching();
    const equal = request({ ...toNewHost, ref: 'headset-1/request-6', code: '17' });
    story.asks(equal);
    for (const code of ['17', '00', '24']) story.types(toNewHost.ref, code);
    story.types(toNewHost.ref, '42');
    story.taps('user.approve', toNewHost.ref);
    expect(story.states()).toEqual([...toMatching, 'idle', 'settling']);
    expect(story.sent.listener).toEqual([
      ...begun,
      queues(equal),
      answers(toNewHost, { outcome: 'denied', why: 'wrongCode' }),
    ]);
    expect(story.sent.sheet).toEqual([
      ...asked,
      counts(toNewHost, 2, 0),
      saysWrongCode(toNewHost, 2),
      saysWrongCode(toNewHost, 1),
      closes(toNewHost, 'denied'),
      shows(equal, { ...asNewHost, ttl: 8_000 }),
    ]);
    expect(story.biometrics.inputs).toEqual([]);
  });

  it('typed wrong leaves all three tries for the passphrase', async () => {
    const story = untilMatching();
    story.types(toNewHost.ref, '00');
    story.types(toNewHost.ref, '01');
    story.types(toNewHost.ref, '42');
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'refused' });
    expect(story.states()).toEqual([...toVerifying, 'deciding']);
    expect(story.sent.sheet.slice(-2)).toEqual([retries(toNewHost, 2), accepts(toNewHost)]);
  });

  it('is not asked again after a wrong passphrase', async () => {
    const story = untilVerifying(phone(), toNewHost);
    await story.biometrics.resolve({ verdict: 'refused' });
    story.taps('user.approve', toNewHost.ref);
    expect(story.states()).toEqual([...toVerifying, 'deciding', 'verifyingUser']);
  });

  it('need not be typed to deny', () => {
    const story = untilMatching();
    story.taps('user.deny', 'headset-1/request-0');
    expect(story.states()).toEqual(toMatching);
    story.taps('user.deny', toNewHost.ref);
    expect(story.states()).toEqual([...toMatching, 'idle']);
    expect(story.sent).toEqual({
      listener: [...begun, denies(toNewHost)],
      sheet: [...asked, closes(toNewHost, 'denied')],
      pins: [],
    });
  });

  it('that nobody types lets the request expire', () => {
    const story = untilMatching();
    story.wait(8_300);
    story.types(toNewHost.ref, '42');
    expect(story.states()).toEqual([...toMatching, 'idle']);
    expect(story.sent.listener).toEqual([...begun, answers(toNewHost, { outcome: 'expired' })]);
  });
});

describe('pinning a host', () => {
  const add = { type: 'pins.add', name: 'new.example', port: 22, ...hostKey('new.example') };

  it('is an answer of its own: an approval alone pins nothing', async () => {
    const story = await untilSigning(phone(), toNewHost);
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.states()).toEqual([...toSigning, 'idle']);
    expect(story.sent.listener.at(-1)).toEqual(answers(toNewHost, { outcome: 'signed' }));
    expect(story.sent.pins).toEqual([]);
  });

  it('happens once the login is signed, and not before', async () => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins(toNewHost.ref, true);
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    expect(story.states()).toEqual(toSigning);
    expect(story.sent.pins).toEqual([]);
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.sent).toEqual({
      listener: [...begun, answers(toNewHost, { outcome: 'signed' })],
      sheet: [
        ...matched,
        showsPinning(toNewHost, true),
        verifies(toNewHost),
        closes(toNewHost, 'signed'),
      ],
      pins: [add],
    });
  });

  it('can be taken back', async () => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins(toNewHost.ref, true);
    story.pins(toNewHost.ref, false);
    expect(story.sent.sheet.slice(-2)).toEqual([
      showsPinning(toNewHost, true),
      showsPinning(toNewHost, false),
    ]);
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.sent.pins).toEqual([]);
  });

  it('is still wanted after a wrong passphrase', async () => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins(toNewHost.ref, true);
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'refused' });
    story.taps('user.approve', toNewHost.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.sent.pins).toEqual([add]);
  });

  it('gives a name to a host that is known by another one', async () => {
    const alias = request({ host: 'Alias', port: 2_222, proof: boundTo('other.example') });
    const story = untilDeciding(phone(), alias);
    story.pins(alias.ref, true);
    story.taps('user.approve', alias.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.sent.pins).toEqual([
      { type: 'pins.add', name: 'Alias', port: 2_222, ...hostKey('other.example') },
    ]);
  });

  it('a host that was never named pins its key alone', async () => {
    const unnamed = request({ ...toNewHost, host: '', port: 0 });
    const story = untilDeciding(phone(), unnamed);
    story.pins(unnamed.ref, true);
    story.taps('user.approve', unnamed.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-1' });
    expect(story.sent.pins).toEqual([
      { type: 'pins.add', name: '', port: 0, ...hostKey('new.example') },
    ]);
  });

  it.each<[string, (story: ReturnType<typeof phone>) => void | Promise<void>]>([
    ['is denied', (story) => story.taps('user.deny', toNewHost.ref)],
    ['expires', (story) => story.wait(9_000)],
    ['is withdrawn', (story) => story.send({ type: 'request.withdrawn', ref: toNewHost.ref })],
    [
      'cannot be signed',
      async (story) => {
        story.taps('user.approve', toNewHost.ref);
        await story.biometrics.resolve({ verdict: 'verified' });
        await story.keys.reject();
      },
    ],
  ])('does not happen when the request %s, and is not wanted of the next', async (_, end) => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins(toNewHost.ref, true);
    await end(story);
    expect(story.states().at(-1)).toBe('idle');
    const next = request({ ...toNewHost, ref: 'headset-1/request-6' });
    story.asks(next);
    story.wait(700);
    story.types(next.ref, '42');
    story.taps('user.approve', next.ref);
    await story.biometrics.resolve({ verdict: 'verified' });
    await story.keys.resolve({ signatureHash: 'signature-2' });
    expect(story.sent.listener.at(-1)).toEqual(answers(next, { outcome: 'signed' }));
    expect(story.sent.pins).toEqual([]);
  });

  it('of another request is not for this one', () => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins('headset-1/request-0', true);
    story.forge({ type: 'user.pin', pin: true });
    expect(story.context().pinning).toBe(false);
    expect(story.sent.sheet).toEqual(matched);
  });

  it.each([
    ['known already', first],
    ['not proven', request({ kind: 'publickey', proof: unproven })],
    ['only vouched for', vouched],
  ])('is not offered where the host is %s', (_, unpinnable) => {
    const story = untilDeciding(phone(), unpinnable);
    story.pins(unpinnable.ref, true);
    expect(story.states().at(-1)).toBe('deciding');
    expect(story.context().pinning).toBe(false);
    expect(story.sent.sheet.at(-1)).toEqual(accepts(unpinnable));
  });
});

describe('pins that change', () => {
  it('show the sheet anew, and what was typed for the old one is gone', () => {
    const story = untilDeciding(phone(), toNewHost);
    story.pins(toNewHost.ref, true);
    story.settings({ pins: [...knownHosts, newPin] });
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    story.taps('user.approve', toNewHost.ref);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    expect(story.context().pinning).toBe(false);
    expect(story.sent.sheet).toEqual([
      ...matched,
      showsPinning(toNewHost, true),
      shows(toNewHost, { badge: { ...known('new.example'), since: 2_000 } }),
    ]);
    story.wait(700);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling', 'deciding']);
    expect(story.sent.listener).toEqual([...begun, advertised]);
  });

  it('have the code typed again where it is needed again', () => {
    const story = untilDeciding(phone(), toNewHost);
    story.settings({ pins: [...knownHosts, pinned('alias', hostKey('new.example'))] });
    story.settings({ pins: knownHosts });
    story.wait(700);
    story.taps('user.approve', toNewHost.ref);
    expect(story.states().slice(-2)).toEqual(['settling', 'matching']);
    story.types(toNewHost.ref, '42');
    expect(story.states().at(-1)).toBe('deciding');
  });

  it('give the code its three tries again', () => {
    const story = untilMatching();
    story.types(toNewHost.ref, '00');
    story.settings({ pins: [] });
    expect(story.states()).toEqual(toMatching);
    story.settings({
      pins: [pinned('new.example', { keyType: 'ssh-rsa', fingerprint: 'SHA256:rsa' })],
    });
    story.wait(700);
    story.types(toNewHost.ref, '00');
    expect(story.sent.sheet.at(-1)).toEqual(saysWrongCode(toNewHost, 2));
  });

  it('take an approval back while the person is being verified', async () => {
    const story = untilVerifying(phone(), toNewHost);
    story.settings({ pins: [...knownHosts, newPin] });
    await story.biometrics.resolve({ verdict: 'verified' });
    expect(story.states()).toEqual([...toVerifying, 'idle', 'settling']);
    expect(story.keys.inputs).toEqual([]);
  });

  it('leave the same request on screen while another headset waits for its first sheet', () => {
    const story = untilMatching();
    story.asks(foreign);
    story.settings({ pins: [...knownHosts, newPin] });
    expect(story.refs()).toEqual([toNewHost.ref, foreign.ref]);
    expect(story.sent.sheet.at(-1)).toEqual(
      shows(toNewHost, { badge: { ...known('new.example'), since: 2_000 }, waiting: 1 }),
    );
  });

  it('turn the sheets of those that wait to known', () => {
    const story = untilDeciding();
    story.asks(toNewHost);
    story.settings({ pins: [...knownHosts, newPin] });
    expect(story.states()).toEqual([...toSettling, 'deciding']);
    story.taps('user.deny', first.ref);
    story.wait(700);
    expect(story.states()).toEqual([...toSettling, 'deciding', 'idle', 'settling', 'deciding']);
    expect(story.sent.sheet.slice(-2)).toEqual([
      shows(toNewHost, { badge: { ...known('new.example'), since: 2_000 }, ttl: 8_000 }),
      accepts(toNewHost),
    ]);
  });

  it('refuse the sheet whose host turns out to have another key', () => {
    const story = untilMatching();
    story.settings({ pins: [pinned('new.example', hostKey('other.example'))] });
    expect(story.states()).toEqual([...toMatching, 'idle']);
    expect(story.sent.listener).toEqual([
      ...begun,
      advertised,
      refuses(toNewHost, 'destinationChanged'),
    ]);
    expect(story.sent.sheet).toEqual([...asked, closes(toNewHost, 'failed')]);
  });

  it('of other hosts leave the sheet as it is', () => {
    const story = untilMatching();
    story.types(toNewHost.ref, '00');
    story.settings({ pins: [...knownHosts, pinned('far.example')] });
    expect(story.states()).toEqual(toMatching);
    expect(story.context().tries).toBe(1);
    expect(story.sent.sheet).toEqual([...asked, saysWrongCode(toNewHost, 2)]);
  });
});

describe('a host that names itself in the bytes', () => {
  it('is remembered for it, once', () => {
    const story = untilAsked(phone(), boundToOld);
    story.asks(request({ ...boundToOld, ref: 'headset-2/request-2' }));
    expect(story.sent.pins).toEqual([notesOld]);
    expect(story.context().hostboundHosts.at(-1)).toBe(fingerprint('old.example'));
  });

  it('is remembered even when the request is refused', () => {
    const story = untilAsked(phone(), { ...boundToOld, fingerprint: 'SHA256:lost' });
    expect(story.sent.pins).toEqual([notesOld]);
    story.asks(vouched);
    expect(story.sent.listener.at(-1)).toEqual(refuses(vouched, 'vouchedRefused'));
  });

  it('is not remembered for vouching, or for nothing', () => {
    const story = untilAsked(phone(), vouched);
    story.asks(request({ proof: unproven, kind: 'publickey' }));
    expect(story.sent.pins).toEqual([]);
  });

  it('ends the sheet of a request for which it only vouches', () => {
    const story = untilDeciding(phone(), vouched);
    story.asks(boundToOld);
    expect(story.states()).toEqual([...toDeciding, 'idle', 'settling']);
    expect(story.refs()).toEqual([boundToOld.ref]);
    expect(story.sent.listener.slice(2)).toEqual([
      queues(boundToOld),
      refuses(vouched, 'vouchedRefused'),
    ]);
    expect(story.sent.sheet.slice(3)).toEqual([
      counts(vouched, 1, 1),
      closes(vouched, 'failed'),
      shows(boundToOld, {
        badge: { badge: 'newHost', fingerprint: fingerprint('old.example') },
        code: null,
        canPin: true,
        ttl: 8_000,
      }),
    ]);
  });

  it('ends the waiting of a request for which it only vouches, and leaves the sheet', () => {
    const story = untilDeciding();
    story.asks(vouched);
    story.asks(boundToOld);
    expect(story.states()).toEqual([...toSettling, 'deciding']);
    expect(story.refs()).toEqual([first.ref, boundToOld.ref]);
    expect(story.sent.listener.at(-1)).toEqual(refuses(vouched, 'vouchedRefused'));
    expect(story.sent.sheet.slice(2)).toEqual([
      counts(first, 1, 1),
      counts(first, 1, 2),
      closes(vouched, 'failed'),
      counts(first, 1, 1),
    ]);
  });

  it('is among the thousand that were heard last', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `SHA256:${i}`);
    const story = untilAsked(phone({ hostboundHosts: many }), boundToOld);
    expect(story.context().hostboundHosts).toHaveLength(1_000);
    expect(story.context().hostboundHosts[0]).toBe('SHA256:1');
    expect(story.context().hostboundHosts.at(-1)).toBe(fingerprint('old.example'));
  });
});
