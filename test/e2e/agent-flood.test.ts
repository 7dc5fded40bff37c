import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../adapters/event-log/envelope.ts';
import type { HostileHeadset } from '../support/hostile-headset.ts';
import { attackedPhone, PASSPHRASE, type AttackedPhone } from '../support/hostile-phone.ts';
import { decide } from '../support/phone-settings.ts';
import { eventsOf } from '../support/program-logs.ts';
import {
  keyLine,
  newHost,
  newSession,
  plainBytes,
  provenRequest,
  signRequest,
  type ProvenMessage,
} from '../support/proofs.ts';

/**
 * Requests of one device that wait at once. All that it asks for here, together, has to stay below
 * the 256 of its rate: what is beyond is refused as busy, whatever else there is against it.
 */
const QUOTA = 24;

const reasons = (link: HostileHeadset, requests: readonly ProvenMessage[]) =>
  Promise.all(requests.map(async ({ id }) => (await link.resultOf(id))['reason']));
const requestOf = ({ data }: Envelope) =>
  String((data as { ref?: unknown } | null)?.ref)
    .split('/')
    .at(-1);

describe('a paired headset that floods the phone', () => {
  const web = newHost();
  let attacked: AttackedPhone;
  let work: AttackedPhone['work'];
  let signer: AttackedPhone['signer'];
  let bad: HostileHeadset;
  let honest: HostileHeadset;
  let shown: number;
  let signed: number;

  beforeAll(async () => {
    attacked = await attackedPhone();
    ({ work, signer } = attacked);
    await decide(attacked.phone, 'hosts', 'add', 'web', keyLine(web));
  });
  beforeEach(async () => {
    [bad, honest] = [await attacked.link(), await attacked.link(attacked.other)];
    shown = attacked.sheets();
    signed = attacked.signatures();
    signer.skip();
  });
  afterEach(() => attacked.closeLinks());
  afterAll(() => attacked?.bench.clear());

  const unproven = (host: string, change: Parameters<typeof signRequest>[3] = {}) =>
    signRequest(work, plainBytes(work, newSession()), [], { host, ...change });
  const flood = (count: number) => Array.from({ length: count }, (_, i) => unproven(`host-${i}`));

  it('with two hundred requests gets one sheet; another device’s is the next, whatever waits', async () => {
    const requests = flood(200);
    bad.say(...requests);
    expect(await reasons(bad, requests.slice(QUOTA))).toEqual(Array(200 - QUOTA).fill('phoneBusy'));
    expect(bad.heard.filter(({ t }) => t === 'queued')).toHaveLength(QUOTA - 1);
    expect(attacked.sheets()).toBe(shown + 1);
    // Nothing that the person would have to read through.
    expect(signer.unread()).not.toContain('refused');

    const good = provenRequest(work, web);
    honest.say(good);
    expect(await honest.hears(({ id }) => id === good.id)).toMatchObject({ t: 'queued' });
    await signer.expect('From Hostile → host-0');
    await signer.answer('d');
    await signer.expect('root@host-0 from Hostile: denied; nothing was signed\n');
    await signer.expect('From Other → web');
    await signer.answer(PASSPHRASE);
    expect(await honest.resultOf(good.id)).toMatchObject({ outcome: 'signed' });
    await signer.expect('From Hostile → host-1');

    const events = eventsOf(attacked.phone);
    const sheets = events.filter(({ type }) => type === 'sheet.shown').slice(-3);
    expect(sheets.map(requestOf)).toEqual([requests[0]?.id, good.id, requests[1]?.id]);
    const denied = events.findLast(({ type }) => type === 'user.deny');
    const next = (sheets[1]?.at ?? 0) - (denied?.at ?? 0);
    console.info(`the other device's sheet came ${next} ms after the denial, through the flood`);
    expect(attacked.signatures()).toBe(signed + 1);
  });

  it('is muted in the middle of it: all that waits ends, its sheet too, and no other comes', async () => {
    const requests = flood(6);
    bad.say(...requests);
    await signer.expect('From Hostile → host-0');
    await decide(attacked.phone, 'devices', 'mute', 'Hostile', '10m');
    expect(await reasons(bad, requests)).toEqual(Array(6).fill('deviceMuted'));
    await signer.expect('root@host-0 from Hostile: refused; nothing was signed');
    const more = flood(10);
    bad.say(...more);
    expect(await reasons(bad, more)).toEqual(Array(10).fill('deviceMuted'));
    expect(attacked.sheets()).toBe(shown + 1);
    expect(signer.unread().trim()).toBe('');

    const good = provenRequest(work, web);
    honest.say(good);
    await signer.expect('From Other → web');
    await signer.answer(PASSPHRASE);
    expect(await honest.resultOf(good.id)).toMatchObject({ outcome: 'signed' });

    await decide(attacked.phone, 'devices', 'unmute', 'Hostile');
    const again = unproven('later');
    bad.say(again);
    await signer.expect('From Hostile → later');
    await signer.answer('d');
    expect(await bad.resultOf(again.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed + 1);
  });

  it('asks for the same again and again: one sheet counts them, and Deny denies them all', async () => {
    const first = provenRequest(work, web);
    honest.say(first);
    await signer.expect('From Other → web');
    const equal = Array.from({ length: 7 }, () => unproven('same'));
    const unlike = unproven('same', { port: 2222 });
    bad.say(...equal, unlike);
    await bad.hears(({ id }) => id === unlike.id);
    await signer.answer('d');
    await signer.expect('SSH Sign Request  ×7\n  From Hostile → same');
    await signer.expect(/\d+ s left, 1 more waiting\n/);
    await signer.answer('d');
    await signer.expect('root@same from Hostile: all 7 denied; nothing was signed\n');
    for (const { id } of equal) {
      expect(await bad.resultOf(id)).toEqual({ t: 'result', id, outcome: 'denied', why: 'denied' });
    }
    await signer.expect(/SSH Sign Request\n {2}From Hostile → same/);
    expect(bad.saidOf(unlike.id)).toEqual(['queued', 'presented']);
    await signer.answer('d');
    expect(await bad.resultOf(unlike.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.sheets()).toBe(shown + 3);
    expect(attacked.signatures()).toBe(signed);
  });

  it('approves one of equal requests and no more: the next has a sheet of its own', async () => {
    const equal = [unproven('same'), unproven('same')] as const;
    bad.say(...equal);
    await signer.expect('From Hostile → same');
    await signer.answer(PASSPHRASE);
    expect(await bad.resultOf(equal[0].id)).toMatchObject({ outcome: 'signed' });
    await signer.expect('From Hostile → same');
    await signer.answer('d');
    expect(await bad.resultOf(equal[1].id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed + 1);
  });

  it('has to wait when two of its sheets were ignored, until the person says otherwise', async () => {
    const brief = { ttl: 1_000, sheetTtl: 1_000 };
    const ignored = [unproven('host-0', brief), unproven('host-1', brief)] as const;
    const waiting = unproven('host-2');
    bad.say(...ignored, waiting);
    for (const { id } of ignored) {
      expect(await bad.resultOf(id)).toEqual({ t: 'result', id, outcome: 'expired' });
    }
    const later = flood(5);
    bad.say(...later);
    expect(await reasons(bad, [waiting, ...later])).toEqual(Array(6).fill('coolingDown'));
    expect(attacked.sheets()).toBe(shown + 2);
    const good = provenRequest(work, web);
    honest.say(good);
    await signer.expect('From Other → web');
    await signer.answer('d');

    await decide(attacked.phone, 'devices', 'unmute', 'Hostile');
    const again = unproven('later');
    bad.say(again);
    await signer.expect('From Hostile → later');
    await signer.answer('d');
    expect(await bad.resultOf(again.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed);
  });
});
