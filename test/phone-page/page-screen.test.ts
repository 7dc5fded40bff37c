import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import type {
  Approval,
  PageSheet,
  SignerMessage,
  VerifiedByPage,
} from '../../adapters/phone-page/protocol.ts';
import type { Sheet, SheetFact } from '../../machines/phone/ports.ts';
import { createPageScreen } from '../../app/phone/web/page-screen.ts';

const ref = 'headset/1';
const bytes = Buffer.from('what is to be signed');
const credential = { id: 'credential', transports: ['internal'], rpId: 'signer-ab12.local' };
const answer: VerifiedByPage = {
  assertion: { credentialId: 'c', clientDataJSON: 'd', authenticatorData: 'a', signature: 's' },
  signature: null,
};

const sheet = (fields: Partial<Sheet> = {}): Sheet => ({
  ref,
  deviceName: 'Vision',
  host: 'web.example',
  port: 22,
  badge: { badge: 'notProven', why: 'noBind' },
  hops: [],
  user: 'deploy',
  label: 'work',
  fingerprint: 'SHA256:work',
  kind: 'publickey',
  detail: null,
  ttl: 9_000,
  code: '42',
  canPin: false,
  equal: 1,
  waiting: 0,
  ...fields,
});

/** A screen on which two pages, `a` and `b`, are open. */
function screenFor({ approval = { by: 'passkey', credential } as Approval } = {}) {
  const told: Record<string, SignerMessage[]> = { a: [], b: [] };
  const facts: SheetFact[] = [];
  const arrived: string[] = [];
  const here = { isAwake: true };
  const page = createPageScreen({
    tell: (to) => Object.entries(told).forEach(([id, messages]) => messages.push(to(id))),
    bytesOf: () => bytes,
    approvalOf: () => approval,
    isAwake: () => here.isAwake,
    arrived: (one) => arrived.push(one),
  });
  page.screen.open((fact) => facts.push(fact));
  const last = (id: string): SignerMessage | undefined => told[id]?.at(-1);
  const shownTo = (id: string): PageSheet => {
    const message = last(id);
    expect.assert(message?.type === 'sheet');
    return message.sheet;
  };
  const untilDeciding = (fields: Partial<Sheet> = {}) => {
    page.screen.obey({ type: 'sheet.show', ...sheet(fields) });
    page.screen.obey({ type: 'sheet.accept', ref: fields.ref ?? ref });
  };
  return { page, told, facts, arrived, here, last, shownTo, untilDeciding };
}

const never = new AbortController().signal;

describe('the sheet in the page', () => {
  it('is told to every page with the bytes to be signed, and to one that comes later', () => {
    const { page, shownTo, arrived } = screenFor();
    page.screen.obey({ type: 'sheet.show', ...sheet() });
    for (const id of ['a', 'b']) {
      expect(shownTo(id)).toMatchObject({
        ref,
        deviceId: 'headset',
        mode: 'settling',
        bytes: bytes.toString('base64url'),
        total: 9_000,
        approval: { by: 'passkey' },
      });
    }
    expect(shownTo('a').left).toBeGreaterThan(8_000);
    expect(page.current('c')).toMatchObject({ type: 'sheet', sheet: { ref, mode: 'settling' } });
    expect(arrived).toEqual([ref]);
    page.screen.obey({ type: 'sheet.close', ref, outcome: 'expired' });
    expect(page.current('c')).toBeNull();
  });

  it('counts as shown once, when the first page has painted it', () => {
    const { page, facts } = screenFor();
    page.screen.obey({ type: 'sheet.show', ...sheet() });
    expect(facts).toEqual([]);
    for (const id of ['a', 'b', 'a']) page.receive(id, { type: 'sheet.shown', ref });
    expect(facts).toEqual([{ type: 'sheet.shown', ref }]);
  });

  it('is unseen until then, and when it is gone', () => {
    const { page } = screenFor();
    expect(page.isUnseen(ref)).toBe(false);
    page.screen.obey({ type: 'sheet.show', ...sheet() });
    expect([page.isUnseen(ref), page.isUnseen('headset/2')]).toEqual([true, false]);
    page.receive('a', { type: 'sheet.shown', ref });
    expect(page.isUnseen(ref)).toBe(false);
    page.screen.obey({ type: 'sheet.show', ...sheet({ ref: 'headset/2' }) });
    page.screen.obey({ type: 'sheet.close', ref: 'headset/2', outcome: 'expired' });
    expect(page.isUnseen('headset/2')).toBe(false);
  });

  it('counts as shown elsewhere, where a passphrase approves', () => {
    const { page, facts, arrived } = screenFor({ approval: { by: 'terminal' } });
    page.screen.obey({ type: 'sheet.show', ...sheet() });
    page.receive('a', { type: 'sheet.shown', ref });
    expect(facts).toEqual([]);
    expect(arrived).toEqual([]);
    expect(page.approves('SHA256:work')).toBe(false);
  });

  it('has an end that every page is told', () => {
    const { page, last, untilDeciding } = screenFor();
    untilDeciding();
    page.screen.close();
    expect(last('a')).toEqual({ type: 'sheet.close', ref, outcome: 'withdrawn' });
  });
});

describe('what a person does counts', () => {
  it('for the sheet that it names, and for no other', () => {
    const { page, facts, untilDeciding } = screenFor();
    untilDeciding();
    page.receive('a', { type: 'sheet.deny', ref: 'headset/0' });
    page.receive('a', { type: 'sheet.approve', ref: 'headset/2' });
    expect(facts).toEqual([]);
    page.receive('a', { type: 'sheet.deny', ref });
    expect(facts).toEqual([{ type: 'user.deny', ref }]);
  });

  it('only once the sheet takes answers', () => {
    const { page, facts } = screenFor();
    page.screen.obey({ type: 'sheet.show', ...sheet() });
    page.receive('a', { type: 'sheet.approve', ref });
    expect(facts).toEqual([]);
  });

  it('only where the page can approve', () => {
    const { page, facts, untilDeciding } = screenFor({ approval: { by: 'terminal' } });
    untilDeciding();
    page.receive('a', { type: 'sheet.approve', ref });
    expect(facts).toEqual([]);
    page.receive('a', { type: 'sheet.deny', ref });
    expect(facts).toHaveLength(1);
  });

  it('not while the machine was asleep', () => {
    const { page, facts, here, untilDeciding } = screenFor();
    untilDeciding();
    here.isAwake = false;
    page.receive('a', { type: 'sheet.approve', ref });
    page.receive('a', { type: 'sheet.deny', ref });
    expect(facts).toEqual([]);
  });
});

/** The person has tapped Approve in page `a`. */
function approved() {
  const story = screenFor();
  story.untilDeciding();
  story.page.receive('a', { type: 'sheet.approve', ref });
  story.page.screen.obey({ type: 'sheet.verifying', ref });
  return story;
}

describe('an approval', () => {
  it('waits for what its page sends, and the other page sees where', async () => {
    const { page, shownTo } = approved();
    expect([shownTo('a').here, shownTo('b').here]).toEqual([true, false]);
    expect(shownTo('b').mode).toBe('verifying');
    const waiting = page.answerOf(ref, never);
    page.receive('b', { type: 'sheet.verified', ref, ...answer });
    page.receive('a', { type: 'sheet.verified', ref, ...answer });
    expect(await waiting).toEqual(answer);
  });

  it('may have its answer before it is asked for', async () => {
    const { page, untilDeciding } = screenFor();
    untilDeciding();
    page.receive('a', { type: 'sheet.approve', ref });
    page.receive('a', { type: 'sheet.verified', ref, ...answer });
    expect(await page.answerOf(ref, never)).toEqual(answer);
  });

  it('is not taken from an earlier try, nor for another request', async () => {
    const { page, untilDeciding } = screenFor();
    untilDeciding();
    page.receive('a', { type: 'sheet.verified', ref, ...answer });
    page.receive('a', { type: 'sheet.approve', ref });
    page.receive('a', { type: 'sheet.verified', ref, ...answer });
    untilDeciding({ ref: 'headset/2' });
    expect(await page.answerOf(ref, never)).toBeNull();
    expect(await page.answerOf('headset/2', never)).toBeNull();
  });

  it('is none when nobody was verified, and the sheet says so', async () => {
    const { page, shownTo } = approved();
    const waiting = page.answerOf(ref, never);
    page.receive('a', { type: 'sheet.unverified', ref, why: 'notVerified' });
    expect(await waiting).toBeNull();
    page.screen.obey({ type: 'sheet.retry', ref, triesLeft: 2 });
    page.screen.obey({ type: 'sheet.accept', ref });
    expect(shownTo('a')).toMatchObject({ mode: 'deciding', triesLeft: 2, here: false });
  });

  it.each<[string, (story: ReturnType<typeof approved>) => void]>([
    ['its page goes', ({ page }) => page.left('a')],
    [
      'the sheet goes',
      ({ page }) => page.screen.obey({ type: 'sheet.close', ref, outcome: 'expired' }),
    ],
    ['another sheet comes', ({ untilDeciding }) => untilDeciding({ ref: 'headset/2' })],
  ])('is none when %s', async (_what, happen) => {
    const story = approved();
    const waiting = story.page.answerOf(ref, never);
    story.page.left('b');
    happen(story);
    expect(await waiting).toBeNull();
  });

  it('is none when the chart stops waiting', async () => {
    const { page } = approved();
    const abort = new AbortController();
    const waiting = page.answerOf(ref, abort.signal);
    abort.abort();
    expect(await waiting).toBeNull();
  });
});
