import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { challenge, endpointOf, identityOf, signMessage } from '../support/hostile-headset.ts';
import { attackedPhone, PASSPHRASE, type AttackedPhone } from '../support/hostile-phone.ts';
import { dialRaw } from '../support/link-rig.ts';

/** Longer than a passphrase takes to open a key. */
const VERIFIED = 1_200;

describe('a paired headset that picks its moment', () => {
  let attacked: AttackedPhone;
  let signer: AttackedPhone['signer'];
  let signed: number;

  beforeAll(async () => {
    attacked = await attackedPhone();
    ({ signer } = attacked);
  });
  beforeEach(() => {
    signed = attacked.signatures();
  });
  afterEach(() => attacked.closeLinks());
  afterAll(() => attacked?.bench.clear());

  const otherBytes = () => challenge(attacked.work, { sessionId: Buffer.alloc(32, 5) });

  it('takes its request back while the person is verified, and asks for other bytes under its id: the approval is for neither', async () => {
    const bad = await attacked.link();
    const request = signMessage(attacked.work);
    bad.say(request);
    await signer.answer(PASSPHRASE);
    await signer.expect('verifying…');
    bad.say({ t: 'withdraw', id: request.id }, { ...request, data: otherBytes() });
    await signer.expect('withdrawn; nothing was signed');
    await signer.expect('SSH Sign Request');
    await sleep(VERIFIED);
    expect(attacked.signatures()).toBe(signed);
    await signer.answer('d');
    expect(await bad.resultOf(request.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed);
  });

  it('hangs up while the person is verified: the approval is for nobody', async () => {
    const bad = await attacked.link();
    const request = signMessage(attacked.work);
    bad.say(request);
    await signer.answer(PASSPHRASE);
    await signer.expect('verifying…');
    await bad.close();
    await signer.expect('withdrawn; nothing was signed');
    const again = await attacked.link();
    again.say({ ...request, data: otherBytes() });
    await signer.expect('SSH Sign Request');
    await sleep(VERIFIED);
    expect(attacked.signatures()).toBe(signed);
    await signer.answer('d');
    expect(await again.resultOf(request.id)).toMatchObject({ outcome: 'denied' });
  });

  it('lets its request run out under the person’s fingers: the next sheet takes nothing of it', async () => {
    const bad = await attacked.link();
    const brief = signMessage(attacked.work, { ttl: 1_200 });
    const next = signMessage(attacked.work, { data: otherBytes(), host: 'elsewhere.example' });
    bad.say(brief, next);
    await signer.expect('passphrase + Enter approves');
    signer.type(PASSPHRASE);
    await signer.expect('expired; nothing was signed');
    signer.type('\n');
    await signer.expect('→ elsewhere.example');
    await signer.answer('d');
    expect(await bad.resultOf(brief.id)).toMatchObject({ outcome: 'expired' });
    expect(await bad.resultOf(next.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed);
  });

  it('asks with an identity that is disabled while its sheet is on screen', async () => {
    const bad = await attacked.link();
    const request = signMessage(attacked.work);
    bad.say(request);
    await signer.expect('passphrase + Enter approves');
    await attacked.phone.run(['identity', 'disable', 'work']);
    expect(await bad.resultOf(request.id)).toMatchObject({ reason: 'identityDisabled' });
    signer.type(`${PASSPHRASE}\n`);
    await sleep(VERIFIED);
    expect(attacked.signatures()).toBe(signed);
    await attacked.phone.run(['identity', 'enable', 'work']);
    const atFirst = bad.heard.find(offers);
    await bad.hears((message) => message !== atFirst && offers(message));
    await attacked.isServed();
  });

  it('is unpaired while its sheet is on screen: sheet and link go, and it is a stranger', async () => {
    const bad = await attacked.link(attacked.other);
    const request = signMessage(attacked.work);
    bad.say(request);
    await signer.expect('passphrase + Enter approves');
    await attacked.phone.run(['devices', 'remove', 'Other']);
    await bad.hears(({ t, reason }) => t === 'bye' && reason === 'unpaired');
    await bad.hungUp;
    await signer.expect('nothing was signed');
    signer.type(`${PASSPHRASE}\n`);
    const stranger = await dialRaw(endpointOf(signer.address), identityOf(attacked.other));
    expect((await stranger.closed).bytes).toBe(0);
    await sleep(VERIFIED);
    expect(attacked.signatures()).toBe(signed);
    await attacked.isServed();
  });

  function offers({ t, identities }: { t: string; identities?: unknown }): boolean {
    return t === 'identities' && JSON.stringify(identities).includes(attacked.work.fingerprint);
  }
});
