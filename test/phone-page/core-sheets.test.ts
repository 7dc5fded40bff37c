import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifyIdentitySignature } from '../../adapters/keys/identity-signature.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import type {
  PageMessage,
  PageSheet,
  SealedByPasskey,
} from '../../adapters/phone-page/protocol.ts';
import type { Bytes } from '../../app/phone/page/core/bytes.ts';
import type { Asserted, Ceremony } from '../../app/phone/page/core/ports.ts';
import { newSalt, sealNewKey } from '../../app/phone/page/core/sealed-key.ts';
import { createSheets } from '../../app/phone/page/core/sheets.ts';
import type { EndedSheet, ShownSheet } from '../../app/phone/page/port.ts';
import { hostboundLogin, hostKey, sshsig } from '../adapters/keys-examples.ts';
import { activity, identity, sheet as sheetWith, state } from './scenes.ts';

const PAGE = 'signer-k4xq.local';
const credential = { id: 'AQID', transports: ['internal'], rpId: PAGE };
const prf = () => Uint8Array.from(createHash('sha256').update('face').digest());
const assertion = {
  credentialId: 'AQID',
  clientDataJSON: 'e30',
  authenticatorData: 'AA',
  signature: 'AA',
};

const { sealed } = await sealNewKey(prf(), newSalt(), new Uint8Array(32));
const keyBlob = Buffer.from(sealed.publicKey, 'base64url');
const bytes = hostboundLogin({ keyBlob });

const request = (change: Partial<PageSheet> = {}): PageSheet =>
  sheetWith({
    ref: 'laptop/1',
    bytes: bytes.toString('base64url'),
    kind: 'hostbound',
    user: 'deploy',
    fingerprint: fingerprint(keyBlob),
    badge: { badge: 'newHost', fingerprint: fingerprint(hostKey) },
    mode: 'deciding',
    left: 30_000,
    total: 30_000,
    here: false,
    approval: { by: 'sealed', credential, sealed },
    ...change,
  });

/** An SSHSIG, by a passkey: nothing is opened after the assertion. */
const byPasskey = () =>
  request({
    kind: 'sshsig',
    user: '',
    bytes: sshsig().toString('base64url'),
    badge: { badge: 'signature' },
    approval: { by: 'passkey', credential },
  });

interface Asked extends Ceremony {
  challenge: Bytes;
  answer(asserted: Asserted | null): void;
}

/** A page whose authenticator answers when the test says so. */
function page(copies = new Map<string, SealedByPasskey>()) {
  const sent: PageMessage[] = [];
  const asked: Asked[] = [];
  const now: { sheet: ShownSheet | null; ended: EndedSheet | null } = { sheet: null, ended: null };
  const unanswered = vi.fn();
  const sheets = createSheets({
    send: (message) => void sent.push(message),
    publish: (change) => void Object.assign(now, change),
    identities: () => [identity({ fingerprint: fingerprint(keyBlob), credential })],
    host: PAGE,
    unanswered,
    copies: {
      find: (key) => copies.get(key) ?? null,
      keep: (key, one) => void copies.set(key, one),
      drop: (key) => void copies.delete(key),
    },
    assertOver: (challenge, _credential, ceremony) =>
      new Promise((answer) => {
        asked.push({ challenge, answer, ...ceremony });
      }),
  });
  return { sheets, sent, asked, now, copies, unanswered };
}

const types = (sent: PageMessage[]) => sent.map(({ type }) => type);
/** For WebCrypto, which answers when it likes. */
const settled = () => setTimeout(50);
const verified = (): Asserted => ({ assertion, secret: prf() });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a sheet in the page', () => {
  test('is approved over the very bytes, and signs them', async () => {
    const { sheets, sent, asked, now, copies } = page();
    await sheets.receive(request());
    expect(now.sheet).toMatchObject({
      isMismatch: false,
      read: { kind: 'hostbound', user: 'deploy' },
    });
    sheets.approve('laptop/1');
    // Before anything else could happen: a browser wants it in the tap.
    expect(types(sent)).toEqual(['sheet.approve']);
    expect(asked).toHaveLength(1);
    expect(Buffer.from(asked[0]!.challenge)).toEqual(bytes);
    expect(asked[0]!.timeout).toBe(30_000);
    expect(Buffer.from(asked[0]!.salt!).toString('base64url')).toBe(sealed.salt);
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    const [, message] = sent;
    expect(message).toMatchObject({ type: 'sheet.verified', ref: 'laptop/1', assertion });
    const signature = Buffer.from((message as { signature: string }).signature, 'base64url');
    expect(verifyIdentitySignature(keyBlob, bytes, signature)).toBe(true);
    expect(copies.get(fingerprint(keyBlob))).toEqual(sealed);
    sheets.closed('laptop/1', 'signed');
    expect(now).toMatchObject({ sheet: null, ended: { outcome: 'signed', isTooLate: false } });
  });

  test('of a passkey sends its assertion, and no signature beside it', async () => {
    const { sheets, sent, asked } = page();
    await sheets.receive(byPasskey());
    sheets.approve('laptop/1');
    expect(asked[0]!.salt).toBeNull();
    asked[0]!.answer({ assertion, secret: null });
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    expect(sent[1]).toMatchObject({ type: 'sheet.verified', signature: null });
  });

  test.each<[string, Partial<PageSheet>, string?]>([
    ['another request', {}, 'laptop/2'],
    ['a sheet that settles', { mode: 'settling' }],
    ['a sheet that waits for its code', { mode: 'matching' }],
    ['a sheet that is being verified', { mode: 'verifying' }],
    ['words that are not those of the bytes', { user: 'root' }],
    ['bytes that are no request', { bytes: 'AAAA' }],
    ['bytes that are none', { bytes: '=' }],
    ['no time left', { left: 0 }],
    [
      'a changed host',
      { badge: { badge: 'changed', name: 'x', known: 'y', fingerprint: fingerprint(hostKey) } },
    ],
    ['an identity of the terminal', { approval: { by: 'terminal' } }],
    ['an identity of another page', { approval: { by: 'otherPage', rpId: 'other.local' } }],
  ])('%s: nothing is asked, and nothing is sent', async (_what, change, ref = 'laptop/1') => {
    const { sheets, sent, asked } = page();
    await sheets.receive(request(change));
    sheets.approve(ref);
    expect({ sent, asked }).toEqual({ sent: [], asked: [] });
  });

  test('is approved once, however often it is tapped', async () => {
    const { sheets, sent, asked } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    sheets.approve('laptop/1');
    expect(asked).toHaveLength(1);
    expect(types(sent)).toEqual(['sheet.approve']);
  });

  test('can be tried again after the person was not verified', async () => {
    const { sheets, sent, asked, now } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    asked[0]!.answer(null);
    await vi.waitFor(() => expect(now.sheet?.problem).toBe('notVerified'));
    expect(sent[1]).toEqual({ type: 'sheet.unverified', ref: 'laptop/1', why: 'notVerified' });
    sheets.approve('laptop/1');
    expect(asked).toHaveLength(2);
    expect(now.sheet?.problem).toBeNull();
  });

  test('can be tried again when the signer wants that after the answer', async () => {
    const { sheets, sent, asked } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    await sheets.receive(request({ mode: 'verifying', here: true }));
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    await sheets.receive(request());
    sheets.approve('laptop/1');
    expect(asked).toHaveLength(2);
  });

  test('says so when the passkey gives no secret', async () => {
    const { sheets, sent, asked, now } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    asked[0]!.answer({ assertion, secret: null });
    await vi.waitFor(() => expect(now.sheet?.problem).toBe('prfUnavailable'));
    expect(sent[1]).toEqual({ type: 'sheet.unverified', ref: 'laptop/1', why: 'prfUnavailable' });
  });

  test('with a damaged copy says so, and takes the signer’s at the next try', async () => {
    const broken = { ...sealed, salt: Buffer.alloc(32).toString('base64url') };
    const { sheets, asked, now, sent, copies } = page(new Map([[fingerprint(keyBlob), broken]]));
    await sheets.receive(request());
    sheets.approve('laptop/1');
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(now.sheet?.problem).toBe('sealedKeyDamaged'));
    sheets.approve('laptop/1');
    asked[1]!.answer(verified());
    await vi.waitFor(() => expect(types(sent).at(-1)).toBe('sheet.verified'));
    expect(copies.get(fingerprint(keyBlob))).toEqual(sealed);
  });

  test('uses its own copy when the signer has lost its one', async () => {
    const { sheets, asked, sent } = page(new Map([[fingerprint(keyBlob), sealed]]));
    await sheets.receive(request({ approval: { by: 'sealed', credential, sealed: null } }));
    sheets.approve('laptop/1');
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(types(sent)).toEqual(['sheet.approve', 'sheet.verified']));
  });

  test('is damaged when both have lost it', async () => {
    const { sheets, asked, sent, now } = page();
    await sheets.receive(request({ approval: { by: 'sealed', credential, sealed: null } }));
    sheets.approve('laptop/1');
    expect(now.sheet?.problem).toBe('sealedKeyDamaged');
    expect({ asked, sent }).toEqual({ asked: [], sent: [] });
  });

  test.each(['withdrawn', 'expired', 'denied'] as const)(
    'that ends as %s while the person is verified: too late, nothing is sent',
    async (outcome) => {
      const { sheets, asked, sent, now } = page();
      await sheets.receive(request());
      sheets.approve('laptop/1');
      sheets.closed('laptop/1', outcome);
      expect(asked[0]!.signal.aborted).toBe(true);
      const late = verified();
      asked[0]!.answer(late);
      await vi.waitFor(() => expect(late.secret).toEqual(new Uint8Array(32)));
      await settled();
      expect(types(sent)).toEqual(['sheet.approve']);
      expect(now).toMatchObject({ sheet: null, ended: { outcome, isTooLate: true } });
    },
  );

  test('of a passkey that is withdrawn while the person is verified: nothing is sent', async () => {
    const { sheets, asked, sent, now } = page();
    await sheets.receive(byPasskey());
    sheets.approve('laptop/1');
    sheets.closed('laptop/1', 'withdrawn');
    asked[0]!.answer({ assertion, secret: null });
    await settled();
    expect(types(sent)).toEqual(['sheet.approve']);
    expect(now.ended).toMatchObject({ outcome: 'withdrawn', isTooLate: true });
  });

  test('that ends untouched was not too late', async () => {
    const { sheets, now } = page();
    await sheets.receive(request());
    sheets.closed('laptop/1', 'withdrawn');
    expect(now).toMatchObject({ sheet: null, ended: { outcome: 'withdrawn', isTooLate: false } });
  });

  test('expires by the page’s own clock, and takes the authenticator with it', async () => {
    const { sheets, asked, now } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    vi.advanceTimersByTime(29_999);
    expect(now.sheet).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(asked[0]!.signal.aborted).toBe(true);
    expect(now).toMatchObject({ sheet: null, ended: { outcome: 'expired', isTooLate: true } });
  });

  test('whose answer is on its way ends as the signer says', async () => {
    const { sheets, asked, sent, now, unanswered } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    vi.advanceTimersByTime(30_000);
    expect(now.sheet).not.toBeNull();
    sheets.closed('laptop/1', 'signed');
    expect(now).toMatchObject({ sheet: null, ended: { outcome: 'signed', isTooLate: false } });
    vi.advanceTimersByTime(10_000);
    expect(unanswered).not.toHaveBeenCalled();
  });

  test('whose signer says nothing of its end asks whether it is there at all', async () => {
    const { sheets, asked, sent, now, unanswered } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    asked[0]!.answer(verified());
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    vi.advanceTimersByTime(31_000);
    expect(unanswered).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(unanswered).toHaveBeenCalledOnce();
    sheets.lost();
    sheets.returned(() => state({ activity: [] }));
    vi.advanceTimersByTime(500);
    expect(now).toMatchObject({ sheet: null, ended: { outcome: 'withdrawn', isTooLate: true } });
  });

  test.each<[string, Partial<PageSheet>]>([
    ['another request', { ref: 'laptop/2' }],
    [
      'other bytes of the same name',
      { bytes: hostboundLogin({ keyBlob, user: 'root' }).toString('base64url'), user: 'root' },
    ],
    ['other words for the same bytes', { user: 'root' }],
    ['the verification by another page', { mode: 'verifying', here: false }],
  ])('gives way to %s: what was begun is ended', async (_what, change) => {
    const { sheets, asked, sent } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    await sheets.receive(request(change));
    expect(asked[0]!.signal.aborted).toBe(true);
    asked[0]!.answer(verified());
    await settled();
    expect(types(sent)).toEqual(['sheet.approve']);
  });

  test('with other bytes under the same name and words is another one, read and signed anew', async () => {
    const { sheets, asked, sent, now } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    vi.advanceTimersByTime(1000);
    const swapped = hostboundLogin({ keyBlob, sessionId: Buffer.alloc(32, 9) });
    await sheets.receive(request({ bytes: swapped.toString('base64url') }));
    expect(asked[0]!.signal.aborted).toBe(true);
    asked[0]!.answer(verified());
    await settled();
    expect(types(sent)).toEqual(['sheet.approve']);
    expect(now.sheet!.since).toBe(performance.now());
    sheets.approve('laptop/1');
    expect(Buffer.from(asked[1]!.challenge)).toEqual(swapped);
  });

  test('that only has news keeps its time on screen, and what was begun', async () => {
    const { sheets, asked, now } = page();
    await sheets.receive(request());
    const since = now.sheet!.since;
    sheets.approve('laptop/1');
    vi.advanceTimersByTime(1000);
    await sheets.receive(request({ mode: 'verifying', here: true, left: 29_000, waiting: 3 }));
    expect(asked[0]!.signal.aborted).toBe(false);
    expect(now.sheet).toMatchObject({ since, until: since + 30_000, sheet: { waiting: 3 } });
  });

  test('vanishes with the link, and what became of it is told when that is back', async () => {
    const { sheets, asked, now } = page();
    await sheets.receive(request());
    sheets.approve('laptop/1');
    sheets.lost();
    expect(now.sheet).toBeNull();
    expect(asked[0]!.signal.aborted).toBe(true);
    const rows = [{ ...activity[0]!, ref: 'laptop/1', outcome: 'expired' as const }];
    sheets.returned(() => state({ activity: rows }));
    vi.advanceTimersByTime(500);
    expect(now.ended).toMatchObject({ ref: 'laptop/1', outcome: 'expired', isTooLate: true });
  });

  test('that is there again after the link was lost has not ended', async () => {
    const { sheets, now } = page();
    await sheets.receive(request());
    sheets.lost();
    sheets.returned(() => state());
    await sheets.receive(request());
    vi.advanceTimersByTime(500);
    expect(now).toMatchObject({ ended: null, sheet: { sheet: { ref: 'laptop/1' } } });
  });
});
