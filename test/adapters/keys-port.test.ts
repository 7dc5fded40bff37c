import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { createOpenedKeys } from '../../adapters/keys/opened-keys.ts';
import { generateP256Key, signWithP256, verifySignature } from '../../adapters/keys/p256.ts';
import { createSigning } from '../../adapters/keys/port.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import type { OpenedKey } from '../../adapters/keys/sealed-key.ts';
import { hostboundLogin, key, login, sshsig } from './keys-examples.ts';

const own = fingerprint(key.publicKey);
const challenge = login();
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const request = { ref: 'headset/1', fingerprint: own, challengeHash: hash(challenge) };

/** An opened key of which it can be asked how often it signed and was closed. */
function watchedKey(signed: (data: Uint8Array) => Buffer = (data) => signWithP256(key, data)) {
  const watched = {
    signed: 0,
    closed: false,
    publicKey: key.publicKey,
    sign(data: Uint8Array) {
      watched.signed += 1;
      return signed(data);
    },
    close() {
      watched.closed = true;
    },
  };
  return watched satisfies OpenedKey;
}

async function run(
  parts: { opened?: ReturnType<typeof watchedKey> | null; bytes?: Uint8Array | null },
  input = request,
) {
  const opened = parts.opened === undefined ? watchedKey() : parts.opened;
  const bytes = parts.bytes === undefined ? challenge : parts.bytes;
  const put: { ref: string; signature: Uint8Array }[] = [];
  const signing = createSigning({
    takeOpened: () => opened,
    challengeFor: () => bytes,
    keepReceipt: () => undefined,
    putSignature: (ref, signature) => void put.push({ ref, signature }),
  });
  const actor = createActor(signing, { input });
  actor.subscribe({ error: () => undefined });
  actor.start();
  const outcome = await toPromise(actor).catch((reason: unknown) => ({ rejected: reason }));
  return { outcome, put, opened };
}

describe('the signing of an approved request', () => {
  test.each([
    ['a login', login()],
    ['a hostbound login', hostboundLogin()],
    ['a commit', sshsig()],
  ])('signs %s once, leaves the signature and tells its hash', async (_what, bytes) => {
    const input = { ...request, challengeHash: hash(bytes) };
    const { outcome, put, opened } = await run({ bytes }, input);
    expect(put).toHaveLength(1);
    expect(put[0]?.ref).toBe(request.ref);
    const signature = put[0]?.signature ?? Buffer.alloc(0);
    expect(verifySignature(key.publicKey, bytes, signature)).toBe(true);
    expect(outcome).toEqual({ signatureHash: hash(signature) });
    expect(opened).toMatchObject({ signed: 1, closed: true });
  });

  test.each([
    ['that no key was opened for', { opened: null }, request, 'KeyNotOpen', 0],
    ['whose bytes are gone', { bytes: null }, request, 'ChallengeMissing', 0],
    ['whose bytes changed', { bytes: login({ user: 'root' }) }, request, 'ChallengeChanged', 0],
    [
      'whose open key is another',
      {},
      { ...request, fingerprint: `SHA256:${'A'.repeat(43)}` },
      'KeyMismatch',
      0,
    ],
    [
      'that cannot be read',
      { bytes: Buffer.from('pay me') },
      { ...request, challengeHash: hash(Buffer.from('pay me')) },
      'ChallengeUnreadable',
      0,
    ],
    [
      'that names another key inside',
      { bytes: login({ keyBlob: generateP256Key().publicKey }) },
      request,
      'ChallengeChanged',
      0,
    ],
    [
      'whose signature does not verify',
      { opened: watchedKey((data) => signWithP256(generateP256Key(), data)) },
      request,
      'SignatureInvalid',
      1,
    ],
    [
      'at which signing throws',
      {
        opened: watchedKey(() => {
          throw new Error('broken');
        }),
      },
      request,
      'SigningFailed',
      1,
    ],
  ])(
    'of one %s leaves no signature and closes the key',
    async (_what, parts, input, name, times) => {
      const { outcome, put, opened } = await run(parts, input);
      expect(outcome).toEqual({ rejected: { name, message: expect.any(String) } });
      expect(put).toEqual([]);
      if (opened) expect(opened).toMatchObject({ signed: times, closed: true });
    },
  );

  test('of a readable request for another key is refused by its bytes', async () => {
    const bytes = login({ keyBlob: generateP256Key().publicKey });
    const { outcome, put } = await run({ bytes }, { ...request, challengeHash: hash(bytes) });
    expect(outcome).toMatchObject({ rejected: { name: 'ChallengeUnreadable' } });
    expect(put).toEqual([]);
  });

  test('rejects with what JSON keeps whole, so that a replay is exact', async () => {
    const { outcome } = await run({ opened: null });
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
    expect(outcome).not.toMatchObject({ rejected: expect.any(Error) });
  });
});

describe('the opened key', () => {
  test('goes to exactly the request it was opened for, once', () => {
    const keys = createOpenedKeys<OpenedKey>();
    const opened = watchedKey();
    keys.keep('headset/1', opened);
    expect(keys.take('headset/2')).toBeNull();
    expect(keys.take('headset/1')).toBe(opened);
    expect(keys.take('headset/1')).toBeNull();
    expect(opened.closed).toBe(false);
  });

  test('is closed when another one is opened', () => {
    const keys = createOpenedKeys<OpenedKey>();
    const [first, second] = [watchedKey(), watchedKey()];
    keys.keep('headset/1', first);
    keys.keep('headset/2', second);
    expect([first.closed, second.closed]).toEqual([true, false]);
    expect(keys.take('headset/1')).toBeNull();
    expect(keys.take('headset/2')).toBe(second);
  });

  test('is closed when its request ends, and not when another does', () => {
    const keys = createOpenedKeys<OpenedKey>();
    const opened = watchedKey();
    keys.keep('headset/1', opened);
    keys.discard('headset/2');
    expect(opened.closed).toBe(false);
    keys.discard('headset/1');
    expect(opened.closed).toBe(true);
    expect(keys.take('headset/1')).toBeNull();
    const other = watchedKey();
    keys.keep('headset/3', other);
    keys.discard();
    expect(other.closed).toBe(true);
  });

  test('is closed when nobody wants it any more, before or after it is kept', () => {
    const keys = createOpenedKeys<OpenedKey>();
    const [early, late, taken] = [watchedKey(), watchedKey(), watchedKey()];
    keys.keep('headset/1', early, AbortSignal.abort());
    expect(early.closed).toBe(true);
    const wanted = new AbortController();
    keys.keep('headset/2', late, wanted.signal);
    wanted.abort();
    expect(late.closed).toBe(true);
    expect(keys.take('headset/2')).toBeNull();
    const other = new AbortController();
    keys.keep('headset/3', taken, other.signal);
    expect(keys.take('headset/3')).toBe(taken);
    other.abort();
    expect(taken.closed).toBe(false);
  });
});
