import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateP256Key } from '../../adapters/keys/p256.ts';
import { publicIdentity } from '../../adapters/keys/public-key.ts';
import { challenge, signMessage, type SignMessage } from '../support/hostile-headset.ts';
import { attackedPhone, PASSPHRASE, type AttackedPhone } from '../support/hostile-phone.ts';

describe('a paired headset that has gone bad', () => {
  let attacked: AttackedPhone;
  let work: AttackedPhone['work'];
  let signer: AttackedPhone['signer'];
  let signed: number;
  let shown: number;

  beforeAll(async () => {
    attacked = await attackedPhone();
    ({ work, signer } = attacked);
  });
  beforeEach(() => {
    signed = attacked.signatures();
    shown = attacked.sheets();
  });
  afterEach(() => attacked.closeLinks());
  afterAll(() => attacked?.bench.clear());

  describe.each<[string, string, () => SignMessage]>([
    [
      'a user other than the one in the bytes',
      'requestMismatch',
      () => signMessage(work, { user: 'root' }),
    ],
    ['a user in other letters', 'requestMismatch', () => signMessage(work, { user: 'Deploy' })],
    [
      'bytes for another key than it names',
      'requestMismatch',
      () => signMessage(work, { data: challenge(attacked.disabled) }),
    ],
    ['a key that the phone never had', 'identityUnknown', () => signMessage(stranger)],
    ['a disabled identity', 'identityDisabled', () => signMessage(attacked.disabled)],
    ['one byte after the request', 'requestUnreadable', () => of({ after: Buffer.alloc(1, 1) })],
    [
      'a second request after the first',
      'requestUnreadable',
      () => of({ after: Buffer.from(challenge(work), 'base64') }),
    ],
    ['random bytes to sign', 'requestUnreadable', () => data(randomBytes(200))],
    ['a hash to sign', 'requestUnreadable', () => data(createHash('sha256').update('x').digest())],
    [
      'a TLS handshake to sign',
      'requestUnreadable',
      () =>
        data(
          Buffer.concat([
            Buffer.alloc(64, 0x20),
            Buffer.from('TLS 1.3, client CertificateVerify\0'),
          ]),
        ),
    ],
    ['a password login to sign', 'requestUnreadable', () => of({ method: 'password' })],
    ['a request without the signature flag', 'requestUnreadable', () => of({ flag: 0 })],
    ['a request for another service', 'requestUnreadable', () => of({ service: 'ssh-userauth' })],
    ['a request under another message number', 'requestUnreadable', () => of({ message: 51 })],
    ['a session id of 5 bytes', 'requestUnreadable', () => of({ sessionId: Buffer.alloc(5) })],
    [
      'an RSA algorithm over this key',
      'requestUnreadable',
      () => of({ algorithm: 'rsa-sha2-512' }),
    ],
    ['another user behind a NUL', 'requestMismatch', () => of({ user: 'deploy\0root' })],
  ])('asks for %s', (_what, reason, request) => {
    it(`is answered ${reason}, and there is no sheet`, async () => {
      const bad = await attacked.link();
      const asked = request();
      bad.say(asked);
      expect(await bad.resultOf(asked.id)).toEqual({
        t: 'result',
        id: asked.id,
        outcome: 'failed',
        reason,
      });
      expect(bad.saidOf(asked.id)).toEqual(['result']);
      expect(attacked.sheets()).toBe(shown);
      expect(bad.isLinked()).toBe(true);
    });
  });
  it('all of that was refused: a good request is served, and only that was signed', async () => {
    expect(signed).toBe(0);
    await attacked.isServed();
    expect(attacked.signatures()).toBe(1);
  });

  it('sends other bytes under the id on the sheet: what was shown is what is signed', async () => {
    const bad = await attacked.link();
    const first = signMessage(work);
    bad.say(first);
    await bad.hears(({ t, id }) => t === 'presented' && id === first.id);
    const swapped = {
      ...first,
      data: challenge(work, { sessionId: Buffer.alloc(32, 9) }),
    };
    bad.say(swapped, { ...first, host: 'elsewhere.example' });
    await bad.settled();
    const refusal = { t: 'result', id: first.id, outcome: 'failed', reason: 'requestIdReused' };
    expect(bad.heard.filter(({ t }) => t === 'result')).toEqual([refusal, refusal]);
    await signer.answer(PASSPHRASE);
    const answer = await bad.hears(({ outcome }) => outcome === 'signed');
    expect(answer['id']).toBe(first.id);
    expect(attacked.verifies(first, answer['signature'])).toBe(true);
    expect(attacked.verifies(swapped, answer['signature'])).toBe(false);
    expect(attacked.signatures()).toBe(signed + 1);
    expect(attacked.sheets()).toBe(shown + 1);

    bad.say(first);
    await bad.settled();
    expect(bad.heard.filter(({ outcome }) => outcome === 'signed')).toEqual([answer, answer]);
    bad.say(swapped);
    await bad.settled();
    expect(bad.heard.findLast(({ t }) => t === 'result')).toEqual(refusal);
    expect(attacked.signatures()).toBe(signed + 1);
    expect(attacked.sheets()).toBe(shown + 1);
  });

  it('asks again for what was denied: the answer is the same, without a second sheet', async () => {
    const bad = await attacked.link();
    const request = signMessage(work);
    bad.say(request);
    await signer.answer('d');
    const denial = await bad.resultOf(request.id);
    expect(denial).toEqual({ t: 'result', id: request.id, outcome: 'denied', why: 'denied' });
    const again = await attacked.link();
    again.say(request);
    expect(await again.resultOf(request.id)).toEqual(denial);
    expect(attacked.sheets()).toBe(shown + 1);
    expect(attacked.signatures()).toBe(signed);
  });

  it('uses the names of events in strings: they are shown, and are no events', async () => {
    const bad = await attacked.link();
    const request = signMessage(work, {
      host: 'xstate.done.actor.biometrics',
      user: 'user.approve',
      data: challenge(work, { user: 'user.approve' }),
    });
    bad.say(request);
    await signer.expect('From Hostile → xstate.done.actor.biometrics');
    await signer.expect('user  user.approve');
    await signer.answer('d');
    expect(await bad.resultOf(request.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed);
  });

  it('names a host with control and bidi characters: the sheet shows them escaped', async () => {
    const bad = await attacked.link();
    const request = signMessage(work, { host: 'bank\x1b[2J\u202e\r\nkey   work\u200b' });
    bad.say(request);
    const [line] = await signer.expect(/ {2}From .*\n/);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}](?!$)/u);
    await signer.answer('d');
    await bad.resultOf(request.id);
    expect(attacked.signatures()).toBe(signed);
  });

  it('withdraws a request of another device by its id: that one goes on', async () => {
    const honest = await attacked.link(attacked.other);
    const bad = await attacked.link();
    const request = signMessage(work);
    honest.say(request);
    await honest.hears(({ t }) => t === 'presented');
    bad.say({ t: 'withdraw', id: request.id });
    await bad.settled();
    await signer.answer(PASSPHRASE);
    expect(await honest.resultOf(request.id)).toMatchObject({ outcome: 'signed' });
    expect(bad.heard.filter(({ t }) => t === 'result')).toEqual([]);
    expect(attacked.signatures()).toBe(signed + 1);
  });

  it('asks under the id of another device’s request: a sheet of its own, an answer of its own', async () => {
    const honest = await attacked.link(attacked.other);
    const bad = await attacked.link();
    const request = signMessage(work);
    const forged = { ...request, data: challenge(work, { sessionId: Buffer.alloc(32, 3) }) };
    honest.say(request);
    await honest.hears(({ t }) => t === 'presented');
    bad.say(forged);
    await bad.hears(({ t }) => t === 'queued');
    await signer.expect('From Other →');
    await signer.answer(PASSPHRASE);
    const { signature } = await honest.resultOf(request.id);
    expect(attacked.verifies(request, signature)).toBe(true);
    await bad.hears(({ t }) => t === 'presented');
    await signer.expect('From Hostile →');
    await signer.answer('d');
    expect(await bad.resultOf(request.id)).toMatchObject({ outcome: 'denied' });
    expect(honest.saidOf(request.id)).toEqual(['presented', 'result']);
    expect(bad.saidOf(request.id)).toEqual(['queued', 'presented', 'result']);
    expect(attacked.signatures()).toBe(signed + 1);
  });

  it('closes its link while the person types: what was typed opens nothing', async () => {
    const bad = await attacked.link();
    const request = signMessage(work);
    bad.say(request);
    await signer.expect('passphrase + Enter approves');
    signer.type(PASSPHRASE.slice(0, 5));
    await bad.close();
    await signer.expect('withdrawn');
    signer.type(`${PASSPHRASE.slice(5)}\n`);
    const again = await attacked.link();
    const second = signMessage(work);
    again.say(second);
    await signer.answer('d');
    expect(await again.resultOf(second.id)).toMatchObject({ outcome: 'denied' });
    expect(attacked.signatures()).toBe(signed);
  });

  it('sends a hundred requests at once: 24 wait, the others are told that the phone is busy', async () => {
    const bad = await attacked.link();
    const requests = Array.from({ length: 100 }, (_, i) =>
      signMessage(work, { data: challenge(work, { sessionId: Buffer.alloc(32, i) }) }),
    );
    bad.say(...requests);
    await bad.resultOf(requests.at(-1)?.id ?? '');
    const busy = bad.heard.filter(({ reason }) => reason === 'phoneBusy');
    expect(busy.map(({ id }) => id)).toEqual(requests.slice(24).map(({ id }) => id));
    expect(bad.heard.filter(({ t }) => t === 'queued')).toHaveLength(23);
    expect(attacked.sheets()).toBe(shown + 1);
    await bad.close();
    expect(attacked.signatures()).toBe(signed);
  });

  it('after all of that, the person’s good requests are served from both devices', async () => {
    await attacked.isServed();
    await attacked.isServed(attacked.other);
    expect(attacked.signatures()).toBe(signed + 2);
  });

  const stranger = publicIdentity(generateP256Key().publicKey, 'never');
  const data = (bytes: Buffer) => signMessage(work, { data: bytes.toString('base64') });
  const of = (change: Parameters<typeof challenge>[1]) =>
    signMessage(work, { data: challenge(work, change) });
});
